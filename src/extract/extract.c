/* Extraction: the table is found, checked against tokenizer and config, then it streams: while one block is rounded and
 * written, the next is read and decoded. Cost: the table is read once and written once; memory is two blocks. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "extract/checkpoint.h"
#include "extract/codebook_write.h"
#include "format/half.h"
#include "model/paths.h"
#include "text/tokenizer.h"
#include "text/unicode/utf8.h"

#define TOKENIZER_MOST ((size_t)256 << 20) /* bytes; the largest known are about 40 MB */
/* Numbers of a block: few enough for the cache that cores share, or, from far away, worth a round trip. */
#define BLOCK_HERE ((size_t)1 << 19)
#define BLOCK_FAR  ((size_t)1 << 21)

typedef struct extraction {
    wl_extract_options options;
    wl_source_files files;
    wl_codebook_config config; /* model NULL: none */
    wl_table table;
    uint64_t row_bytes;  /* of the table, as it is stored */
    wl_buffer tokenizer; /* its JSON; empty: none */
    wl_extracted out;
} extraction;

static void say(const wl_extract_options *options, const char *format, ...) WL_PRINTF(2, 3);

static void say(const wl_extract_options *options, const char *format, ...)
{
    if (!options->message) return;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    options->message(options->user, text);
}

/* ---- what is to be extracted ------------------------------------------------------------------------------------- */

/* A name without a slash that does not exist here is a config's: its model is the source then. */
static wl_status choose_source(extraction *this, const char *source, const char **chosen, wl_error *error)
{
    const char *config = this->options.config;
    bool from_config = !config && !strchr(source, '/') && !wl_path_exists(source);
    *chosen = source;
    if (!config && !from_config) return WL_OK;
    wl_status status = wl_codebook_config_read(config ? config : source, &this->config, error);
    if (from_config && status == WL_ERROR_NOT_FOUND) { /* the source says so in better words */
        wl_codebook_config_free(&this->config);
        return WL_OK;
    }
    if (status) return status;
    if (this->config.composed)
        return wl_fail(error, WL_ERROR_MISMATCH,
                       "the config %.60s is no model's codebook (%.200s): there is nothing to extract",
                       this->config.name, this->config.note ? this->config.note : "it is composed");
    if (from_config) *chosen = this->config.model;
    return WL_OK;
}

static wl_status check_config(const extraction *this, wl_error *error)
{
    const wl_codebook_config *config = &this->config;
    if (!config->model || (config->dim == this->out.dim && config->vocabulary == this->out.rows)) return WL_OK;
    return wl_fail_at(error, WL_ERROR_MISMATCH, this->table.reader.name, WL_NO_POSITION, 0,
                      "the table \"%.100s\" is %" PRIu64 " x %" PRIu64 ", the config %.60s expects %" PRIu64
                      " x %" PRIu64,
                      this->out.tensor, this->out.rows, this->out.dim, config->name, config->vocabulary, config->dim);
}

/* ---- the tokenizer ----------------------------------------------------------------------------------------------- */

/* Its JSON: the one that was given, the one that a GGUF carries, or the one beside the model. */
static wl_status find_tokenizer(extraction *this, wl_error *error)
{
    const wl_extract_options *options = &this->options;
    if (options->tokenizer) {
        wl_mapping mapping;
        if (wl_mapping_open(&mapping, options->tokenizer, error)) return error->code;
        wl_status status = wl_buffer_append(&this->tokenizer, mapping.data, mapping.size, error);
        wl_mapping_close(&mapping);
        return status;
    }
    if (this->table.carried.json.size) {
        this->tokenizer = this->table.carried.json;
        this->table.carried.json = (wl_buffer){0};
        return WL_OK;
    }
    /* Beside the table, or at the top of the model. */
    char *beside = wl_path_join(this->table.folder, "tokenizer.json", error);
    if (!beside) return WL_ERROR_MEMORY;
    wl_status status = wl_source_text(&this->files, beside, TOKENIZER_MOST, &this->tokenizer, error);
    if (status == WL_ERROR_NOT_FOUND && *this->table.folder)
        status = wl_source_text(&this->files, "tokenizer.json", TOKENIZER_MOST, &this->tokenizer, error);
    free(beside);
    if (status != WL_ERROR_NOT_FOUND) return status;
    if (*this->table.carried.refusal)
        say(options, "warning: the tokenizer in the file cannot be written as a tokenizer.json: %s",
            this->table.carried.refusal);
    else
        say(options, "warning: no tokenizer.json beside the model: the table is extracted without one");
    return WL_OK;
}

static wl_status check_vocabulary(const extraction *this, const wl_tokenizer *tokenizer, wl_error *error)
{
    uint64_t ids = this->out.vocabulary, rows = this->out.rows;
    bool padding = this->options.allow_padding || this->config.padded;
    if (ids == rows || (padding && ids < rows)) return WL_OK;
    if (ids < rows)
        return wl_fail_at(error, WL_ERROR_MISMATCH, this->table.reader.name, WL_NO_POSITION, 0,
                          "the table \"%.100s\" has %" PRIu64 " rows, its tokenizer %" PRIu64
                          " ids: the rest is padding, or the tokenizer another's (--allow-padding takes it)",
                          this->out.tensor, rows, ids);
    /* A token that was added later may have no row; a word of the vocabulary must have one. */
    if (padding && tokenizer->vocabulary.id_count <= rows) {
        say(&this->options, "warning: the tokenizer has %" PRIu64 " added tokens that the table has no row for",
            ids - rows);
        return WL_OK;
    }
    return wl_fail_at(error, WL_ERROR_MISMATCH, this->table.reader.name, WL_NO_POSITION, 0,
                      "the table \"%.100s\" has %" PRIu64 " rows, fewer than the %" PRIu64
                      " ids of its tokenizer: it is for another vocabulary",
                      this->out.tensor, rows, ids);
}

static wl_status check_tokenizer(extraction *this, wl_error *error)
{
    if (!this->tokenizer.size) return WL_OK;
    const char *name = this->options.tokenizer ? this->options.tokenizer : "tokenizer.json";
    wl_tokenizer *tokenizer = wl_tokenizer_parse(this->tokenizer.data, this->tokenizer.size, name, error);
    if (!tokenizer && error->code == WL_ERROR_UNSUPPORTED) {
        say(&this->options, "warning: the tokenizer is written unchecked, for it is not understood: %s",
            error->message);
        return WL_OK;
    }
    if (!tokenizer) return error->code;
    this->out.vocabulary = wl_tokenizer_ids(tokenizer);
    wl_status status = check_vocabulary(this, tokenizer, error);
    const char *pad = this->config.pad_token;
    uint32_t id;
    if (!status && pad && !wl_tokenizer_id(tokenizer, (wl_text){pad, strlen(pad)}, &id))
        say(&this->options, "warning: the tokenizer has no token \"%s\", the config's pad_token", pad);
    wl_tokenizer_close(tokenizer);
    return status;
}

/* ---- the stream -------------------------------------------------------------------------------------------------- */

/* Of two blocks one is filled while the other is written. */
struct block {
    unsigned char *bytes; /* as the source has them */
    float *rows;
    uint64_t first; /* row */
    size_t count;   /* rows; 0: nothing is in it */
    uint64_t odd;   /* numbers that are not finite, of all blocks so far */
    wl_error error;
    wl_status status;
};

struct stream {
    extraction *this;
    wl_codebook_writer *writer;
    struct block blocks[2];
    size_t filling; /* which */
    uint64_t most;  /* rows of a block */
};

static wl_status fill(const struct stream *stream, struct block *block, wl_error *error)
{
    wl_table *table = &stream->this->table;
    const wl_encoding *encoding = table->tensor.encoding;
    uint64_t blocks = table->tensor.shape[1] / encoding->elements, bytes = stream->this->row_bytes;
    if (wl_reader_read(&table->reader, table->tensor.offset + block->first * bytes, block->bytes,
                       (size_t)(block->count * bytes), error))
        return error->code;
    encoding->decode(block->bytes, (size_t)(block->count * blocks), block->rows);
    wl_table_scale(table, block->first, block->count, block->rows);
    uint32_t odd = 0;
    for (size_t i = 0, count = block->count * (size_t)table->tensor.shape[1]; i < count; i++)
        odd += (wl_float_bits(block->rows[i]) & 0x7F800000) == 0x7F800000;
    block->odd += odd;
    return WL_OK;
}

/* A wl_pool's work: item 0 fills, item 1 writes. */
static void advance(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    struct stream *stream = user;
    struct block *block = &stream->blocks[item ? 1 - stream->filling : stream->filling];
    if (!block->count)
        block->status = WL_OK;
    else if (item == 0)
        block->status = fill(stream, block, &block->error);
    else
        block->status = wl_codebook_writer_rows(stream->writer, block->rows, block->count, &block->error);
}

static wl_status run(struct stream *stream, wl_pool *pool, wl_error *error)
{
    extraction *this = stream->this;
    uint64_t rows = this->out.rows, next = 0;
    for (bool busy = true; busy; stream->filling = 1 - stream->filling) {
        struct block *block = &stream->blocks[stream->filling];
        block->first = next;
        block->count = (size_t)(rows - next < stream->most ? rows - next : stream->most);
        next += block->count;
        wl_pool_run(pool, 2, advance, stream);
        for (size_t i = 0; i < 2; i++) {
            if (!stream->blocks[i].status) continue;
            *error = stream->blocks[i].error;
            return stream->blocks[i].status;
        }
        busy = block->count != 0; /* what was filled is still to be written */
        const wl_extract_options *options = &this->options;
        uint64_t row = this->row_bytes;
        if (options->progress && !options->progress(options->user, this->out.tensor, next * row, rows * row))
            return wl_fail(error, WL_ERROR_CANCELLED, "cancelled while \"%s\" was extracted", this->out.tensor);
    }
    return WL_OK;
}

static wl_status copy_table(extraction *this, wl_codebook_writer *writer, wl_error *error)
{
    uint64_t dim = this->out.dim, block = this->files.hub ? BLOCK_FAR : BLOCK_HERE;
    uint64_t most = dim && dim < block ? block / dim : 1;
    if (most > this->out.rows) most = this->out.rows;
    struct stream stream = {.this = this, .writer = writer, .most = most};
    size_t bytes = (size_t)(this->row_bytes * most);
    wl_pool *pool = wl_pool_create(2, error);
    wl_status status = pool ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < 2 && !status; i++) {
        stream.blocks[i].bytes = wl_allocate(bytes, 1, error);
        stream.blocks[i].rows = stream.blocks[i].bytes ? wl_allocate((size_t)(most * dim), sizeof(float), error) : NULL;
        status = stream.blocks[i].rows ? WL_OK : WL_ERROR_MEMORY;
    }
    if (!status) status = run(&stream, pool, error);
    uint64_t odd = stream.blocks[0].odd + stream.blocks[1].odd;
    if (!status && odd)
        say(&this->options, "warning: %" PRIu64 " numbers of \"%s\" are infinite or NaN", odd, this->out.tensor);
    for (size_t i = 0; i < 2; i++) {
        free(stream.blocks[i].bytes);
        free(stream.blocks[i].rows);
    }
    wl_pool_free(pool);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Another model's tokenizer would be taken for this one's. */
static wl_status warn_of_neighbour(const extraction *this, const char *path, wl_error *error)
{
    if (this->tokenizer.size) return WL_OK;
    char *own = wl_tokenizer_path(path, true, error), *shared = own ? wl_tokenizer_path(path, false, error) : NULL;
    const char *taken = shared && wl_path_exists(own) ? own : shared && wl_path_exists(shared) ? shared : NULL;
    wl_status status = shared ? WL_OK : WL_ERROR_MEMORY;
    if (taken) say(&this->options, "warning: %s is there already, and will be taken for this table's", taken);
    free(own);
    free(shared);
    return status;
}

/* Paths and names of tensors may hold what is no UTF-8, which a header must be. */
static wl_status repair(wl_buffer *out, const char *text, wl_error *error)
{
    uint64_t replaced = 0;
    wl_status status = wl_utf8_repair(text, strlen(text), out, &replaced, error);
    return status ? status : wl_buffer_append(out, "", 1, error);
}

static wl_status write_codebook(extraction *this, const char *source, const char *path, wl_error *error)
{
    static const char *const dtypes[] = {"F16", "BF16", "F32"};
    char dims[24], vocabulary[24];
    wl_buffer texts[2] = {{0}, {0}};
    wl_status status = repair(&texts[0], source, error);
    if (!status) status = repair(&texts[1], this->table.tensor.name, error);
    snprintf(dims, sizeof dims, "%" PRIu64, this->out.dim);
    snprintf(vocabulary, sizeof vocabulary, "%" PRIu64, this->out.vocabulary ? this->out.vocabulary : this->out.rows);
    const char *const metadata[] = {
        "source",     texts[0].data, "revision", this->out.revision,
        "tensor",     texts[1].data, "stored",   this->out.stored,
        "dims",       dims,          "dtype",    dtypes[this->options.stored_as],
        "vocabulary", vocabulary,
    };
    wl_codebook_writer writer = {0};
    if (!status)
        status = wl_codebook_writer_open(&writer, path, this->out.rows, this->out.dim, this->options.stored_as,
                                         metadata, sizeof metadata / sizeof *metadata / 2, error);
    if (!status) status = copy_table(this, &writer, error);
    /* The tokenizer first: a codebook that is there has all that belongs to it. */
    if (!status && this->tokenizer.size)
        status =
            wl_codebook_write_tokenizer(path, this->tokenizer.data, this->tokenizer.size, this->out.tokenizer, error);
    if (!status) status = warn_of_neighbour(this, path, error);
    if (!status) status = wl_codebook_writer_commit(&writer, error);
    wl_codebook_writer_abandon(&writer);
    wl_buffer_free(&texts[0]);
    wl_buffer_free(&texts[1]);
    return status;
}

/* What is read, and what belongs to it, is not written over. */
static wl_status check_target(const extraction *this, const char *path, wl_error *error)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *const given[] = {this->options.tokenizer, this->options.config};
    if (strcmp(name, "tokenizer.json") == 0)
        return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                          "is the name of the tokenizer that is written beside the table");
    bool may_be_part = this->files.folder && wl_is_model_file(name);
    char *inside = may_be_part ? wl_source_path(&this->files, name, error) : NULL;
    if (may_be_part && !inside) return WL_ERROR_MEMORY;
    bool read = wl_source_is_file(&this->table.reader, path) || (inside && wl_same_file(path, inside));
    free(inside);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) read = read || (given[i] && wl_same_file(path, given[i]));
    if (!read) return WL_OK;
    return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0, "is a file that is read; write to another");
}

static wl_status open_table(extraction *this, wl_error *error)
{
    const wl_extract_options *options = &this->options;
    wl_table_request request = {options->file, options->tensor, options->output_embeddings};
    if (!request.tensor && !request.output) request.tensor = this->config.tensor;
    /* A GGUF names tensors in its own way, whatever the config's model does. */
    wl_status status = wl_table_open(&this->table, &this->files, &request, error);
    if (status == WL_ERROR_NOT_FOUND && !options->tensor && request.tensor) {
        request.tensor = NULL;
        status = wl_table_open(&this->table, &this->files, &request, error);
    }
    if (status) return status;
    const wl_stored *tensor = &this->table.tensor;
    this->out.rows = tensor->shape[0];
    this->out.dim = tensor->shape[1];
    this->row_bytes = tensor->shape[1] / tensor->encoding->elements * tensor->encoding->bytes;
    snprintf(this->out.tensor, sizeof this->out.tensor, "%s", tensor->name);
    snprintf(this->out.stored, sizeof this->out.stored, "%s", tensor->encoding->name);
    if (this->files.hub) snprintf(this->out.revision, sizeof this->out.revision, "%s", wl_hub_commit(this->files.hub));
    if (tensor->encoding == &wl_encoding_i8 && !this->table.scales.values)
        say(options, "warning: no scales stand beside \"%s\": its whole numbers are taken as they are", tensor->name);
    if (!this->files.hub && options->hub && options->hub->revision)
        say(options, "warning: the revision is of no meaning for files here");
    return WL_OK;
}

wl_status wl_extract(const char *source, const char *path, const wl_extract_options *options, wl_extracted *extracted,
                     wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    *error = (wl_error){.byte = WL_NO_POSITION};
    if (!source || !path) return wl_fail(error, WL_ERROR_ARGUMENT, "the %s is NULL", source ? "path" : "source");
    extraction this = {0};
    if (wl_read_options(&this.options, sizeof this.options, options, "wl_extract_options", error)) return error->code;
    if (!*source) return wl_fail(error, WL_ERROR_ARGUMENT, "the source's name is empty");
    if (wl_path_is_directory(path))
        return wl_fail_at(error, WL_ERROR_IO, path, WL_NO_POSITION, 0, "is a directory, expected a file to write");
    if (this.options.stored_as > WL_STORE_F32)
        return wl_fail(error, WL_ERROR_ARGUMENT, "stored_as is %d, which is no type", (int)this.options.stored_as);
    wl_status status = choose_source(&this, source, &source, error);
    if (!status) status = wl_source_open(&this.files, source, this.options.hub, error);
    if (!status) status = open_table(&this, error);
    if (!status) status = check_target(&this, path, error);
    if (!status) status = check_config(&this, error);
    if (!status) status = find_tokenizer(&this, error);
    if (!status) status = check_tokenizer(&this, error);
    if (!status) status = write_codebook(&this, source, path, error);
    this.out.bytes_read = this.table.fetched + this.table.reader.fetched;
    wl_buffer_free(&this.tokenizer);
    wl_table_close(&this.table);
    wl_source_close(&this.files);
    wl_codebook_config_free(&this.config);
    if (status) return status;
    if (extracted) *extracted = this.out;
    *error = (wl_error){.byte = WL_NO_POSITION};
    return WL_OK;
}
