/* Arrow throws nothing of its own, but the standard library may: no exception leaves this file. */
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <exception>
#include <memory>
#include <parquet/arrow/reader.h>

extern "C" {
#include "data/parquet.h"
}

namespace
{

/* Arrow's stream of a file's rows needs the file's reader to live, and does not keep it. */
class Rows : public arrow::RecordBatchReader
{
  public:
    Rows(std::shared_ptr<parquet::arrow::FileReader> file, std::shared_ptr<arrow::RecordBatchReader> batches)
        : file_(std::move(file)), batches_(std::move(batches))
    {
    }
    std::shared_ptr<arrow::Schema> schema() const override
    {
        return batches_->schema();
    }
    arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch> *batch) override
    {
        return batches_->ReadNext(batch);
    }

  private:
    std::shared_ptr<parquet::arrow::FileReader> file_;
    std::shared_ptr<arrow::RecordBatchReader> batches_; /* goes first */
};

arrow::Status open_stream(const char *path, struct ArrowArrayStream *stream)
{
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(file));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<parquet::arrow::FileReader> reader, builder.Build());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches, reader->GetRecordBatchReader());
    return arrow::ExportRecordBatchReader(std::make_shared<Rows>(reader, batches), stream);
}

} // namespace

wl_status wl_parquet_open(const char *path, struct ArrowArrayStream *stream, wl_error *error)
{
    *stream = ArrowArrayStream{};
    try {
        arrow::Status status = open_stream(path, stream);
        if (status.ok()) return WL_OK;
        wl_status code = status.IsOutOfMemory() ? WL_ERROR_MEMORY : status.IsIOError() ? WL_ERROR_IO : WL_ERROR_FORMAT;
        return wl_fail_at(error, code, path, WL_NO_POSITION, 0, "Arrow cannot read it: %.300s",
                          status.message().c_str());
    } catch (const std::exception &failure) {
        return wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "Arrow cannot read it: %.300s",
                          failure.what());
    }
}
