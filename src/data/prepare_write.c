/* From the spills to the files: a pass over them for each tensor, and one for the lines. Memory: one record. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/prepare.h"
#include "data/repeats.h"
#include "format/safetensors_write.h"

enum { BLOCK = 1 << 16, TOLD = 1 << 14 /* records after which progress is told */ };

/* A walk over the records that stayed. */
typedef struct walk {
    wl_preparation *work;
    const uint64_t *repeats; /* bits */
    uint64_t count;          /* of records */
    uint64_t at;             /* records seen */
    wl_survivor record;      /* the last one */
    uint64_t *lengths;       /* (record.sides) */
    size_t capacity;
    uint64_t tokens; /* of all its sides */
    bool repeats_earlier;
    FILE *out; /* of the result */
    wl_error *error;
} walk;

static wl_status begin(walk *this)
{
    wl_spill *spills = this->work->spills;
    this->at = 0;
    if (wl_spill_rewind(&spills[WL_SPILL_RECORDS], this->error)) return this->error->code;
    return wl_spill_rewind(&spills[WL_SPILL_LENGTHS], this->error);
}

/* The next record; there is one. */
static wl_status advance(walk *this)
{
    wl_spill *spills = this->work->spills;
    void *lengths = this->lengths;
    if (this->at % TOLD == 0 && wl_prepare_tell(this->work)) return this->error->code;
    if (wl_spill_read(&spills[WL_SPILL_RECORDS], &this->record, sizeof this->record, this->error))
        return this->error->code;
    wl_status status = wl_reserve(&lengths, &this->capacity, this->record.sides, sizeof *this->lengths, this->error);
    this->lengths = lengths;
    if (!status)
        status = wl_spill_read(&spills[WL_SPILL_LENGTHS], this->lengths, this->record.sides * sizeof *this->lengths,
                               this->error);
    if (status) return status;
    this->tokens = 0;
    for (uint32_t i = 0; i < this->record.sides; i++) this->tokens += this->lengths[i];
    this->repeats_earlier = wl_bit(this->repeats, this->at++);
    return WL_OK;
}

static wl_status put(walk *this, const void *data, size_t size)
{
    if (!size || fwrite(data, 1, size, this->out) == size) return WL_OK;
    return wl_fail_errno(this->error, this->work->path, "write", errno);
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

/* Each writes what the record adds to its tensor; *end: where the next one begins. */

static wl_status put_ids(walk *this, uint64_t *end)
{
    (void)end;
    uint32_t ids[BLOCK / sizeof(uint32_t)];
    for (uint64_t left = this->tokens; left;) {
        size_t part = left < BLOCK / sizeof *ids ? (size_t)left : BLOCK / sizeof *ids;
        if (wl_spill_read(&this->work->spills[WL_SPILL_IDS], ids, part * sizeof *ids, this->error) ||
            (!this->repeats_earlier && put(this, ids, part * sizeof *ids)))
            return this->error->code;
        left -= part;
    }
    return WL_OK;
}

static wl_status put_starts(walk *this, uint64_t *end)
{
    for (uint32_t i = 0; i < this->record.sides && !this->repeats_earlier; i++) {
        *end += this->lengths[i];
        if (put(this, end, sizeof *end)) return this->error->code;
    }
    return WL_OK;
}

static wl_status put_records(walk *this, uint64_t *end)
{
    if (this->repeats_earlier) return WL_OK;
    *end += this->record.sides;
    return put(this, end, sizeof *end);
}

static wl_status put_score(walk *this, uint64_t *end)
{
    (void)end;
    return this->repeats_earlier ? WL_OK : put(this, &this->record.score, sizeof this->record.score);
}

enum { IDS, STARTS, RECORDS, SCORES, TENSORS };

static const struct {
    char name[8];
    wl_dtype dtype;
    bool starts; /* begins with a 0 */
    wl_status (*put)(walk *this, uint64_t *end);
} columns[TENSORS] = {
    [IDS] = {"ids", WL_U32, false, put_ids},
    [STARTS] = {"starts", WL_U64, true, put_starts},
    [RECORDS] = {"records", WL_U64, true, put_records},
    [SCORES] = {"scores", WL_F32, false, put_score},
};

static wl_status write_tensor(walk *this, const wl_tensor *tensor)
{
    size_t column = 0;
    uint64_t end = 0;
    while (strcmp(columns[column].name, tensor->name) != 0) column++;
    if (begin(this) || wl_spill_rewind(&this->work->spills[WL_SPILL_IDS], this->error)) return this->error->code;
    if (columns[column].starts && put(this, &end, sizeof end)) return this->error->code;
    while (this->at < this->count)
        if (advance(this) || columns[column].put(this, &end)) return this->error->code;
    return WL_OK;
}

/* ---- metadata ---------------------------------------------------------------------------------------------------- */

/* The last name of a path, which may end with slashes. */
static wl_text base_name(const char *path)
{
    size_t end = strlen(path), begin;
    while (end > 1 && path[end - 1] == '/') end--;
    for (begin = end; begin && path[begin - 1] != '/';) begin--;
    return (wl_text){path + begin, end - begin};
}

static void write_names(wl_json_writer *json, const char *const *paths, size_t count)
{
    wl_json_write(json, "[");
    for (size_t i = 0; i < count; i++) {
        if (i) wl_json_write(json, ", ");
        wl_prepare_write_name(json, base_name(paths[i]));
    }
    wl_json_write(json, "]");
}

static void write_options(wl_json_writer *json, const wl_prepare_options *options)
{
    wl_json_write(json, "{\"least_tokens\": %" PRIu32 ", \"most_tokens\": %" PRIu32 ", \"keep_duplicates\": %s, ",
                  options->least_tokens, options->most_tokens, options->keep_duplicates ? "true" : "false");
    if (options->sentences) wl_json_write(json, "\"sentences\": %" PRIu32 ", ", options->sentences);
    wl_json_write(json, "\"evaluation\": ");
    write_names(json, options->evaluation, options->evaluation_count);
    if (options->near_model) {
        wl_json_write(json, ", \"near\": ");
        wl_json_write_number(json, options->near);
    }
    wl_json_write(json, "}");
}

static void write_counts(wl_json_writer *json, const wl_prepared *counts)
{
    wl_json_write(json, "{\"records\": %" PRIu64 ", \"kept\": %" PRIu64, counts->records, counts->kept);
    for (int i = 0; i < WL_REMOVED_REASONS; i++)
        wl_json_write(json, ", \"%s\": %" PRIu64, wl_removed_name((wl_removed)i), counts->removed[i]);
    wl_json_write(json, "}");
}

enum { SOURCES, OPTIONS, COUNTS, VALUES };

static wl_status make_header(walk *this, wl_tensor *tensors, size_t count, wl_buffer *header)
{
    const wl_preparation *work = this->work;
    char tokenizer[WL_DIGEST_DIGITS];
    wl_buffer values[VALUES] = {{0}};
    wl_json_writer json[VALUES];
    for (size_t i = 0; i < VALUES; i++) json[i] = (wl_json_writer){&values[i], this->error, WL_OK};
    wl_digest_print(work->vocabulary, tokenizer);
    write_names(&json[SOURCES], work->paths, work->path_count);
    write_options(&json[OPTIONS], &work->options);
    write_counts(&json[COUNTS], &work->result);
    wl_status status = WL_OK;
    for (size_t i = 0; i < VALUES && !status; i++)
        status = json[i].status ? json[i].status : wl_buffer_append(&values[i], "", 1, this->error);
    if (!status) {
        const char *const metadata[][2] = {
            {"format", "wordllama texts"},     {"version", "1"},
            {"tokenizer", tokenizer},          {"sources", values[SOURCES].data},
            {"options", values[OPTIONS].data}, {"counts", values[COUNTS].data},
        };
        status =
            wl_safetensors_header(tensors, count, *metadata, sizeof metadata / sizeof *metadata, header, this->error);
    }
    for (size_t i = 0; i < VALUES; i++) wl_buffer_free(&values[i]);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static wl_status write_texts(walk *this, bool scored)
{
    const wl_prepared *result = &this->work->result;
    uint64_t counts[TENSORS] = {
        [IDS] = result->tokens,
        [STARTS] = result->texts + 1,
        [RECORDS] = result->kept + 1,
        [SCORES] = result->kept,
    };
    size_t count = scored ? TENSORS : SCORES;
    char names[TENSORS][sizeof columns->name];
    wl_tensor tensors[TENSORS];
    for (size_t i = 0; i < count; i++) {
        memcpy(names[i], columns[i].name, sizeof names[i]);
        tensors[i] = (wl_tensor){.name = names[i], .dtype = columns[i].dtype, .rank = 1, .shape = {counts[i]}};
        tensors[i].count = counts[i];
        tensors[i].bytes = (size_t)counts[i] * wl_dtype_size(columns[i].dtype);
    }
    wl_buffer header = {0};
    wl_replacement file;
    wl_status status = make_header(this, tensors, count, &header);
    if (!status) status = wl_replacement_open(&file, this->work->path, this->error);
    if (!status) {
        this->out = file.stream;
        status = put(this, header.data, header.size);
        for (size_t i = 0; i < count && !status; i++) status = write_tensor(this, &tensors[i]);
        if (status)
            wl_replacement_abandon(&file);
        else
            status = wl_replacement_commit(&file, this->error);
    }
    wl_buffer_free(&header);
    return status;
}

/* The files of lines. */
enum { KEPT, REMOVED, TEXTS, LINE_FILES };

typedef struct line_file {
    const char *path; /* NULL: not wanted */
    wl_replacement file;
} line_file;

static wl_status put_line(walk *this, line_file *file, const char *line, size_t size)
{
    if (!file->path || fwrite(line, 1, size, file->file.stream) == size) return WL_OK;
    return wl_fail_errno(this->error, file->path, "write", errno);
}

/* A line of the spill: what it is, without the sign in front, to the file where it belongs. */
static wl_status sort_line(walk *this, line_file files[LINE_FILES], const char *line, size_t size)
{
    line_file *kept = &files[KEPT], *removed = &files[REMOVED];
    if (*line == '-') return put_line(this, removed, line + 1, size - 1);
    if (*line == '=') return this->repeats_earlier ? WL_OK : put_line(this, &files[TEXTS], line + 1, size - 1);
    if (this->at % TOLD == 0 && wl_prepare_tell(this->work)) return this->error->code;
    this->repeats_earlier = wl_bit(this->repeats, this->at++);
    if (!this->repeats_earlier) return put_line(this, kept, line + 1, size - 1);
    char front[64];
    int length =
        snprintf(front, sizeof front, "{\"reason\": \"%s\", \"record\": ", wl_removed_name(WL_REMOVED_DUPLICATE));
    if (put_line(this, removed, front, (size_t)length) || put_line(this, removed, line + 1, size - 2))
        return this->error->code;
    return put_line(this, removed, "}\n", 2);
}

static wl_status sort_lines(walk *this, line_file files[LINE_FILES])
{
    wl_spill *lines = &this->work->spills[WL_SPILL_LINES];
    char *line = NULL;
    size_t capacity = 0;
    this->at = 0;
    wl_status status = wl_spill_rewind(lines, this->error);
    for (uint64_t left = lines->size; left && !status;) {
        ssize_t size = getline(&line, &capacity, lines->stream);
        if (size < 2)
            status = wl_fail_errno(this->error, lines->path, "read", errno);
        else
            status = sort_line(this, files, line, (size_t)size);
        left -= (uint64_t)size;
    }
    free(line);
    return status;
}

static wl_status write_lines(walk *this)
{
    const wl_prepare_options *options = &this->work->options;
    line_file files[LINE_FILES] = {
        [KEPT] = {.path = options->kept}, [REMOVED] = {.path = options->removed}, [TEXTS] = {.path = options->texts}};
    wl_status status = WL_OK;
    for (int i = 0; i < LINE_FILES && !status; i++)
        if (files[i].path) status = wl_replacement_open(&files[i].file, files[i].path, this->error);
    if (!status) status = sort_lines(this, files);
    for (int i = 0; i < LINE_FILES && !status; i++)
        if (files[i].path) status = wl_replacement_commit(&files[i].file, this->error);
    for (int i = 0; i < LINE_FILES; i++) wl_replacement_abandon(&files[i].file);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static bool go_on(void *user)
{
    return wl_prepare_tell(user) == WL_OK;
}

static wl_status count_all(walk *this, bool *scored)
{
    wl_prepared *result = &this->work->result;
    memcpy(result->removed, this->work->state.removed, sizeof result->removed);
    result->records = this->work->state.records;
    if (begin(this)) return this->error->code;
    while (this->at < this->count) {
        if (advance(this)) return this->error->code;
        if (this->repeats_earlier) {
            result->removed[WL_REMOVED_DUPLICATE]++;
            continue;
        }
        result->kept++;
        result->texts += this->record.sides;
        result->tokens += this->tokens;
        if (!isnan(this->record.score)) *scored = true;
    }
    return WL_OK;
}

wl_status wl_prepare_write(wl_preparation *this)
{
    walk all = {.work = this, .error = this->error};
    bool scored = false;
    all.count = this->spills[WL_SPILL_RECORDS].size / sizeof(wl_survivor);
    uint64_t *repeats = wl_allocate((size_t)(all.count / 64) + 1, sizeof *repeats, this->error);
    wl_status status = repeats ? WL_OK : WL_ERROR_MEMORY;
    all.repeats = repeats;
    if (!status && !this->options.keep_duplicates)
        status = wl_repeats_find(&this->spills[WL_SPILL_DIGESTS], all.count, this->folder.path, go_on, this, repeats,
                                 this->error);
    if (!status) status = count_all(&all, &scored);
    /* The texts last: once they are there all is done. */
    if (!status) status = write_lines(&all);
    if (!status) status = write_texts(&all, scored);
    free(all.lengths);
    free(repeats);
    return status;
}
