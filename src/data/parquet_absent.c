/* In place of parquet.cpp in a build without Arrow. */
#include "data/parquet.h"

wl_status wl_parquet_open(const char *path, struct ArrowArrayStream *stream, wl_error *error)
{
    (void)stream;
    return wl_fail_at(error, WL_ERROR_UNSUPPORTED, path, 0, 0,
                      "is a Parquet file, and this build has no Arrow to read it with; convert it, for example in "
                      "Python: pandas.read_parquet(\"FILE.parquet\").to_json(\"FILE.jsonl\", orient=\"records\", "
                      "lines=True)");
}
