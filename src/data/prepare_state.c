/* Where the work is, in PATH.part/state.json, and whose it is. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/prepare.h"

enum { VERSION = 1 };

static const char state_name[] = "state.json";
static const char state_format[] = "wordllama prepare";

/* The numbers in the file. */
static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    {"file", offsetof(wl_prepare_state, file)},
    {"record", offsetof(wl_prepare_state, record)},
    {"bytes", offsetof(wl_prepare_state, bytes)},
    {"records", offsetof(wl_prepare_state, records)},
};

/* And the lists of them. */
static const struct {
    const char *name;
    size_t offset, count;
} lists[] = {
    {"sizes", offsetof(wl_prepare_state, sizes), WL_SPILLS},
    {"removed", offsetof(wl_prepare_state, removed), WL_REMOVED_REASONS},
};

static uint64_t *member(wl_prepare_state *state, size_t offset)
{
    return (uint64_t *)(void *)((char *)state + offset);
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static wl_status describe_input(wl_preparation *this, const char *path, wl_json_writer *json)
{
    struct stat info;
    if (stat(path, &info) != 0) return wl_fail_errno(this->error, path, "open", errno);
    if (this->options.resume && !S_ISREG(info.st_mode))
        return wl_fail_at(this->error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                          "is no regular file: a call that reads it cannot be resumed");
    wl_json_write(json, "%s %" PRIu64 " %" PRIu64 " %" PRId64 " %ld\n", path, (uint64_t)info.st_size,
                  (uint64_t)info.st_ino, (int64_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    return json->status;
}

wl_status wl_prepare_arguments(wl_preparation *this)
{
    const wl_prepare_options *options = &this->options;
    char vocabulary[WL_DIGEST_DIGITS], held[WL_DIGEST_DIGITS];
    wl_buffer text = {0};
    wl_json_writer json = {&text, this->error, WL_OK};
    wl_digest_print(this->vocabulary, vocabulary);
    wl_digest_print(wl_held_out_digest(&this->held), held);
    wl_json_write(&json, "%d %s %s %a %" PRIu32 " %" PRIu32 " %" PRIu32 " %d %d %d %d\n", VERSION, vocabulary, held,
                  options->near, options->sentences, options->least_tokens, options->most_tokens,
                  options->keep_duplicates, options->kept != NULL, options->removed != NULL, options->texts != NULL);
    wl_status status = json.status;
    for (size_t i = 0; i < this->path_count && !status; i++) status = describe_input(this, this->paths[i], &json);
    if (!status) this->arguments = wl_digest_bytes(text.data, text.size);
    wl_buffer_free(&text);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void read_list(wl_json *json, uint64_t *out, size_t count)
{
    size_t at = 0;
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        uint64_t number = wl_json_unsigned(json, INT64_MAX);
        if (at == count) wl_json_fail(json, WL_ERROR_FORMAT, "more than %zu numbers", count);
        if (at < count) out[at++] = number;
    }
    if (at < count) wl_json_fail(json, WL_ERROR_FORMAT, "%zu numbers, expected %zu", at, count);
}

static void read_member(wl_json *json, wl_text key, wl_prepare_state *state)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (wl_text_is(key, numbers[i].name)) {
            *member(state, numbers[i].offset) = wl_json_unsigned(json, INT64_MAX);
            return;
        }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (wl_text_is(key, lists[i].name)) {
            read_list(json, member(state, lists[i].offset), lists[i].count);
            return;
        }
    wl_json_skip(json);
}

static wl_status parse_state(wl_preparation *this, const wl_mapping *file, const char *path)
{
    char arguments[WL_DIGEST_DIGITS];
    wl_buffer scratch = {0};
    wl_json json;
    wl_text key;
    bool ours = false, same = false;
    wl_digest_print(this->arguments, arguments);
    wl_json_open(&json, file->data, file->size, path, &scratch, this->error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, "format"))
            ours = wl_text_is(wl_json_string(&json), state_format);
        else if (wl_text_is(key, "arguments"))
            same = wl_text_is(wl_json_string(&json), arguments);
        else
            read_member(&json, key, &this->state);
    }
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    if (status) return status;
    if (!ours) return wl_fail_at(this->error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "is no state of wl_prepare");
    if (same) return WL_OK;
    return wl_fail_at(this->error, WL_ERROR_MISMATCH, this->folder.path, WL_NO_POSITION, 0,
                      "is what a call with other arguments left (options, tokenizer, sets, or files that were changed "
                      "since): it cannot be resumed by this one");
}

wl_status wl_prepare_read_state(wl_preparation *this, bool *found)
{
    char *path = wl_path_join(this->folder.path, state_name, this->error);
    if (!path) return WL_ERROR_MEMORY;
    wl_mapping file;
    wl_status status = WL_OK;
    *found = wl_path_exists(path);
    if (*found) status = wl_mapping_open(&file, path, this->error);
    if (*found && !status) {
        status = parse_state(this, &file, path);
        wl_mapping_close(&file);
    }
    free(path);
    return status;
}

wl_status wl_prepare_drop_state(const wl_preparation *this, wl_error *error)
{
    char *path = wl_path_join(this->folder.path, state_name, error);
    if (!path) return WL_ERROR_MEMORY;
    wl_status status = WL_OK;
    if (unlink(path) != 0 && errno != ENOENT) status = wl_fail_errno(error, path, "remove", errno);
    free(path);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static wl_status format_state(wl_preparation *this, wl_buffer *text)
{
    char arguments[WL_DIGEST_DIGITS];
    wl_json_writer json = {text, this->error, WL_OK};
    wl_digest_print(this->arguments, arguments);
    wl_json_write(&json, "{\"format\": \"%s\", \"arguments\": \"%s\"", state_format, arguments);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        wl_json_write(&json, ", \"%s\": %" PRIu64, numbers[i].name, *member(&this->state, numbers[i].offset));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        wl_json_write(&json, ", \"%s\": [", lists[i].name);
        for (size_t j = 0; j < lists[i].count; j++)
            wl_json_write(&json, "%s%" PRIu64, j ? ", " : "", member(&this->state, lists[i].offset)[j]);
        wl_json_write(&json, "]");
    }
    wl_json_write(&json, "}\n");
    return json.status;
}

wl_status wl_prepare_write_state(wl_preparation *this)
{
    wl_buffer text = {0};
    wl_replacement file;
    wl_status status = WL_OK;
    for (size_t i = 0; i < WL_SPILLS && !status; i++) {
        status = wl_spill_sync(&this->spills[i], this->error);
        this->state.sizes[i] = this->spills[i].size;
    }
    if (!status) status = format_state(this, &text);
    char *path = status ? NULL : wl_path_join(this->folder.path, state_name, this->error);
    if (!status && !path) status = WL_ERROR_MEMORY;
    if (!status) status = wl_replacement_open(&file, path, this->error);
    if (!status && fwrite(text.data, 1, text.size, file.stream) == text.size)
        status = wl_replacement_commit(&file, this->error);
    else if (!status) {
        status = wl_fail_errno(this->error, path, "write", errno);
        wl_replacement_abandon(&file);
    }
    free(path);
    wl_buffer_free(&text);
    return status;
}
