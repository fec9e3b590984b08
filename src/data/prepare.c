/* Texts made ready for training: see prepare.h for the parts. */
#include "data/prepare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "text/unicode/utf8.h"

enum {
    BATCH_SIDES = 1 << 14,
    SKIPPED = 1 << 12, /* records passed over after which progress is told */
};

static const wl_prepare_pace usual_pace = {1 << 20, 5};
static const double usual_near = 0.9;

static const char *const names[] = {
    [WL_REMOVED_EMPTY] = "empty",
    [WL_REMOVED_SHORT] = "too short",
    [WL_REMOVED_LONG] = "too long",
    [WL_REMOVED_SAME] = "equal sides",
    [WL_REMOVED_EVALUATION] = "in evaluation",
    [WL_REMOVED_NEAR] = "near evaluation",
    [WL_REMOVED_DUPLICATE] = "duplicate",
};

const char *wl_removed_name(wl_removed reason)
{
    return (size_t)reason < WL_REMOVED_REASONS ? names[reason] : "unknown";
}

wl_status wl_prepare_tell(wl_preparation *this)
{
    wl_progress progress = this->options.progress;
    if (!progress || progress(this->options.user, this->state.records, this->state.bytes)) return WL_OK;
    return wl_fail(this->error, WL_ERROR_CANCELLED, "cancelled");
}

void wl_prepare_write_name(wl_json_writer *json, wl_text name)
{
    wl_buffer repaired = {0};
    uint64_t replaced = 0;
    if (!json->status) json->status = wl_utf8_repair(name.data, name.size, &repaired, &replaced, json->error);
    if (!json->status) wl_json_write_string(json, (wl_text){repaired.data, repaired.size});
    wl_buffer_free(&repaired);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void say(const wl_preparation *this, const char *text)
{
    if (this->options.message) this->options.message(this->options.user, text);
}

wl_candidate *wl_prepare_add(wl_prepare_batch *batch, wl_error *error)
{
    void *candidates = batch->candidates;
    wl_status status = wl_reserve(&candidates, &batch->capacity, batch->count + 1, sizeof *batch->candidates, error);
    batch->candidates = candidates;
    if (status) return NULL;
    wl_candidate *candidate = &batch->candidates[batch->count];
    *candidate = (wl_candidate){.first = batch->sides.count, .object_begin = batch->objects.size};
    return candidate;
}

void wl_prepare_end(wl_prepare_batch *batch, wl_candidate *candidate)
{
    candidate->count = batch->sides.count - candidate->first;
    candidate->object_size = batch->objects.size - candidate->object_begin;
    batch->count++;
}

/* Adds a record to the batch. */
static wl_status take_record(wl_preparation *this, const wl_records *records)
{
    wl_prepare_batch *batch = &this->batch;
    batch->read++;
    if (this->options.sentences) return wl_prepare_sentences(this, records);
    wl_candidate *candidate = wl_prepare_add(batch, this->error);
    if (!candidate || wl_prepare_sides(records, &batch->sides, &candidate->score, this->error))
        return this->error->code;
    if ((this->options.kept || this->options.removed) && wl_prepare_object(records, &batch->objects, this->error))
        return this->error->code;
    wl_prepare_end(batch, candidate);
    return WL_OK;
}

/* Reads a batch; *ended: there is no more in the file. */
static wl_status read_batch(wl_preparation *this, const wl_prepare_pace *pace, wl_records *records, bool *ended)
{
    wl_prepare_batch *batch = &this->batch;
    batch->count = batch->read = batch->sides.count = batch->sides.bytes.size = batch->objects.size = 0;
    while (batch->sides.bytes.size + batch->objects.size < pace->batch_bytes && batch->sides.count < BATCH_SIDES) {
        int got = wl_records_next(records, this->error);
        if (got < 0) return this->error->code;
        *ended = !got;
        if (!got) return WL_OK;
        if (take_record(this, records)) return this->error->code;
    }
    return WL_OK;
}

/* To the record where an earlier call stopped. */
static wl_status skip_records(wl_preparation *this, wl_records *records)
{
    for (uint64_t i = 0; i < this->state.record; i++) {
        if (i % SKIPPED == SKIPPED - 1 && wl_prepare_tell(this)) return this->error->code;
        int got = wl_records_next(records, this->error);
        if (got < 0) return this->error->code;
        if (!got)
            return wl_fail_at(this->error, WL_ERROR_MISMATCH, this->paths[this->state.file], WL_NO_POSITION, 0,
                              "has %" PRIu64 " records, of which %" PRIu64 " were read before", i, this->state.record);
    }
    return WL_OK;
}

static void say_replaced(const wl_preparation *this, const wl_records *records)
{
    char text[256];
    snprintf(text, sizeof text, "%.150s: %" PRIu64 " invalid UTF-8 sequence%s replaced by U+FFFD",
             this->paths[this->state.file], records->replaced, records->replaced == 1 ? "" : "s");
    if (records->replaced) say(this, text);
}

static void say_empty(const wl_preparation *this)
{
    char text[512];
    snprintf(text, sizeof text, "%.400s: holds no records", this->paths[this->state.file]);
    say(this, text);
}

static wl_status read_file(wl_preparation *this, const wl_prepare_pace *pace, double *written)
{
    wl_records records;
    wl_status status = wl_records_open(&records, this->paths[this->state.file], this->error);
    if (!status) status = skip_records(this, &records);
    for (bool ended = false; !ended && !status;) {
        status = read_batch(this, pace, &records, &ended);
        if (!status) status = wl_prepare_check(this);
        if (!status) this->state.record += this->batch.read;
        if (!status && ended) say_replaced(this, &records);
        if (!status && ended && !records.record && this->path_count > 1) say_empty(this);
        if (!status && ended) this->state.file++, this->state.record = 0;
        if (!status && now() - *written >= pace->state_seconds) {
            status = wl_prepare_write_state(this);
            *written = now();
        }
        if (!status) status = wl_prepare_tell(this);
        /* Nothing is lost where it was the caller who stopped it. */
        if (status == WL_ERROR_CANCELLED && wl_prepare_write_state(this)) status = this->error->code;
    }
    wl_records_close(&records);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status read_all(wl_preparation *this, const wl_prepare_pace *pace)
{
    double written = now();
    while (this->state.file < this->path_count)
        if (read_file(this, pace, &written)) return this->error->code;
    if (!this->state.records)
        return wl_fail_at(this->error, WL_ERROR_FORMAT, this->paths[0], WL_NO_POSITION, 0, "holds no records%s",
                          this->path_count > 1 ? ", nor does any other file" : "");
    return wl_prepare_write_state(this);
}

/* Opens the spills, where an earlier call stopped or anew. */
static wl_status open_spills(wl_preparation *this)
{
    static const char *const files[WL_SPILLS] = {
        [WL_SPILL_IDS] = "ids",         [WL_SPILL_LENGTHS] = "lengths", [WL_SPILL_DIGESTS] = "digests",
        [WL_SPILL_RECORDS] = "records", [WL_SPILL_LINES] = "lines",
    };
    bool found = false;
    if (this->options.resume && wl_prepare_read_state(this, &found)) return this->error->code;
    if (!found && (wl_prepare_drop_state(this, this->error) || wl_spill_folder_clear(&this->folder, this->error)))
        return this->error->code;
    for (size_t i = 0; i < WL_SPILLS; i++)
        if (wl_spill_open(&this->spills[i], this->folder.path, files[i], this->state.sizes[i], this->error))
            return this->error->code;
    if (!found) return wl_prepare_write_state(this);
    char text[128];
    snprintf(text, sizeof text, "going on after %" PRIu64 " records", this->state.records);
    say(this, text);
    return WL_OK;
}

/* Whether the same call could do better another time: not where it is the input that is wrong. */
static bool may_go_on(wl_status status)
{
    return status != WL_ERROR_FORMAT && status != WL_ERROR_UNSUPPORTED && status != WL_ERROR_LIMIT;
}

static wl_status remove_folder(wl_preparation *this, wl_error *error)
{
    wl_status status = wl_prepare_drop_state(this, error);
    return status ? status : wl_spill_folder_remove(&this->folder, error);
}

static wl_status work(wl_preparation *this, const wl_prepare_pace *pace)
{
    wl_error unused;
    if (wl_spill_folder_open(&this->folder, this->path, this->error) || open_spills(this)) return this->error->code;
    wl_status status = read_all(this, pace);
    if (!status) status = wl_prepare_write(this);
    if (!status) return remove_folder(this, this->error);
    if (!may_go_on(status)) remove_folder(this, &unused);
    return status;
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static wl_status check_not_in(const char *path, const char *const *read, size_t count, wl_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (wl_same_file(path, read[i]))
            return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                              "is a file that is read; write to another");
        /* Also a new file there would be read the next time. */
        if (wl_path_is_directory(read[i]) && wl_path_lies_in(path, read[i]))
            return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                              "lies in a folder that is read; write to another");
    }
    return WL_OK;
}

/* What is written is none of what is read, and can be written: known at once, not after hours. */
static wl_status check_targets(wl_preparation *this)
{
    const char *const targets[] = {this->path, this->options.kept, this->options.removed, this->options.texts};
    wl_error *error = this->error;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        wl_replacement file;
        if (!targets[i]) continue;
        if (check_not_in(targets[i], this->paths, this->path_count, error) ||
            check_not_in(targets[i], this->options.evaluation, this->options.evaluation_count, error))
            return error->code;
        for (size_t j = 0; j < i; j++)
            if (targets[j] && wl_same_target(targets[i], targets[j]))
                return wl_fail_at(error, WL_ERROR_ARGUMENT, targets[i], WL_NO_POSITION, 0, "would be written twice");
        if (wl_replacement_open(&file, targets[i], error)) return error->code;
        wl_replacement_abandon(&file);
    }
    return WL_OK;
}

static wl_status read_options(wl_preparation *this, const wl_prepare_options *given)
{
    wl_prepare_options *options = &this->options;
    wl_error *error = this->error;
    if (wl_read_options(options, sizeof *options, given, "wl_prepare_options", error)) return error->code;
    if (!options->least_tokens) options->least_tokens = 1;
    if (options->near == 0) options->near = usual_near;
    if (!(options->near > 0 && options->near <= 1))
        return wl_fail(error, WL_ERROR_ARGUMENT, "near is %g, expected above 0 and at most 1", options->near);
    if (options->most_tokens && options->most_tokens < options->least_tokens)
        return wl_fail(error, WL_ERROR_ARGUMENT, "at most %" PRIu32 " tokens, but at least %" PRIu32,
                       options->most_tokens, options->least_tokens);
    if (options->near_model && !options->evaluation_count)
        return wl_fail(error, WL_ERROR_ARGUMENT, "a model for what is near, but no evaluation sets");
    return WL_OK;
}

wl_status wl_prepare_at(const wl_prepare_pace *pace, const char *const *paths, size_t count,
                        const wl_tokenizer *tokenizer, const char *path, const wl_prepare_options *options,
                        wl_prepared *prepared, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!paths || !count || !tokenizer || !path)
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_prepare: no paths, no tokenizer or no path to write given");
    wl_preparation this = {.paths = paths, .path_count = count, .tokenizer = tokenizer, .path = path, .error = error};
    this.folder.lock = -1;
    if (read_options(&this, options) || check_targets(&this)) return error->code;
    wl_context_options threads = {.size = sizeof threads, .threads = this.options.threads};
    this.context = wl_context_create(&threads, error);
    wl_status status = this.context ? WL_OK : error->code;
    if (!status) status = wl_held_out_open(&this.held, &this.options, this.context, error);
    if (!status) status = wl_digest_tokenizer(tokenizer, &this.vocabulary, error);
    if (!status) status = wl_prepare_arguments(&this);
    if (!status) status = work(&this, pace);
    if (!status && prepared) *prepared = this.result;
    for (size_t i = 0; i < WL_SPILLS; i++) wl_spill_close(&this.spills[i]);
    wl_spill_folder_close(&this.folder);
    wl_prepare_batch_free(&this.batch);
    wl_sides_free(&this.whole);
    wl_held_out_close(&this.held);
    wl_context_free(this.context);
    return status;
}

wl_status wl_prepare(const char *const *paths, size_t count, const wl_tokenizer *tokenizer, const char *path,
                     const wl_prepare_options *options, wl_prepared *prepared, wl_error *error)
{
    return wl_prepare_at(&usual_pace, paths, count, tokenizer, path, options, prepared, error);
}
