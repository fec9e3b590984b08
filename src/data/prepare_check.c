/* What a batch of records comes to: tokens, reasons to go, and the spills. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/fold.h"
#include "data/prepare.h"

/* ---- reasons ----------------------------------------------------------------------------------------------------- */

static uint64_t tokens_of(const wl_prepare_batch *batch, size_t side)
{
    return batch->starts[side + 1] - batch->starts[side];
}

static bool is_empty(const wl_preparation *this, wl_candidate *candidate, size_t side)
{
    (void)candidate;
    return !tokens_of(&this->batch, side);
}

static bool is_short(const wl_preparation *this, wl_candidate *candidate, size_t side)
{
    (void)candidate;
    return tokens_of(&this->batch, side) < this->options.least_tokens;
}

static bool is_long(const wl_preparation *this, wl_candidate *candidate, size_t side)
{
    (void)candidate;
    return this->options.most_tokens && tokens_of(&this->batch, side) > this->options.most_tokens;
}

static int compare_digests(const void *a, const void *b)
{
    const wl_text_digest *x = *(const wl_text_digest *const *)a, *y = *(const wl_text_digest *const *)b;
    if (x->low != y->low) return x->low < y->low ? -1 : 1;
    if (x->high != y->high) return x->high < y->high ? -1 : 1;
    return (x > y) - (x < y);
}

enum { FEW_SIDES = 64 };

/* Of a record with many sides: the first that is a repetition, or SIZE_MAX, by sorting. */
static wl_status find_same(const wl_prepare_batch *batch, const wl_candidate *candidate, size_t *found, wl_error *error)
{
    const wl_text_digest **sorted = wl_allocate(candidate->count, sizeof(wl_text_digest *), error);
    if (!sorted) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < candidate->count; i++) sorted[i] = &batch->digests[candidate->first + i];
    qsort(sorted, candidate->count, sizeof(wl_text_digest *), compare_digests);
    *found = SIZE_MAX;
    for (size_t i = 1; i < candidate->count; i++) {
        size_t side = (size_t)(sorted[i] - batch->digests);
        bool same = sorted[i]->low == sorted[i - 1]->low && sorted[i]->high == sorted[i - 1]->high;
        if (same && side < *found) *found = side;
    }
    free(sorted);
    return WL_OK;
}

static bool is_same(const wl_preparation *this, wl_candidate *candidate, size_t side)
{
    if (candidate->count > FEW_SIDES) return side == candidate->same;
    const wl_text_digest *digests = this->batch.digests;
    for (size_t other = candidate->first; other < side; other++)
        if (digests[other].low == digests[side].low && digests[other].high == digests[side].high) return true;
    return false;
}

static bool is_held_out(const wl_preparation *this, wl_candidate *candidate, size_t side)
{
    const uint32_t *set = wl_digests_find(&this->held.digests, this->batch.digests[side]);
    if (set) candidate->set = *set;
    return set != NULL;
}

/* In the order of wl_removed; the two that are not here ask about many records at once. */
static const struct {
    wl_removed reason;
    bool (*holds)(const wl_preparation *this, wl_candidate *candidate, size_t side);
} checks[] = {
    {WL_REMOVED_EMPTY, is_empty}, {WL_REMOVED_SHORT, is_short},         {WL_REMOVED_LONG, is_long},
    {WL_REMOVED_SAME, is_same},   {WL_REMOVED_EVALUATION, is_held_out},
};

static void check_candidate(const wl_preparation *this, wl_candidate *candidate)
{
    candidate->reason = WL_REMOVED_REASONS;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        for (size_t side = candidate->first; side < candidate->first + candidate->count; side++)
            if (checks[i].holds(this, candidate, side)) {
                candidate->reason = checks[i].reason;
                candidate->side = side;
                return;
            }
}

/* ---- what is similar --------------------------------------------------------------------------------------------- */

/* matches: of the sides of all records without a reason, in order. */
static void take_matches(wl_preparation *this, const wl_match *matches)
{
    wl_prepare_batch *batch = &this->batch;
    float near = (float)this->options.near;
    for (size_t i = 0; i < batch->count; i++) {
        wl_candidate *candidate = &batch->candidates[i];
        if (candidate->reason != WL_REMOVED_REASONS) continue;
        for (size_t side = candidate->first; side < candidate->first + candidate->count; side++, matches++) {
            if (matches->score < near || candidate->reason != WL_REMOVED_REASONS) continue;
            candidate->reason = WL_REMOVED_NEAR;
            candidate->side = side;
            candidate->set = this->held.owners[matches->index];
            candidate->similarity = matches->score;
        }
    }
}

static wl_status check_similar(wl_preparation *this)
{
    wl_prepare_batch *batch = &this->batch;
    wl_text *texts = wl_allocate(batch->sides.count, sizeof *texts, this->error);
    wl_match *matches = texts ? wl_allocate(batch->sides.count, sizeof *matches, this->error) : NULL;
    wl_status status = matches ? WL_OK : WL_ERROR_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < batch->count && !status; i++) {
        const wl_candidate *candidate = &batch->candidates[i];
        if (candidate->reason != WL_REMOVED_REASONS) continue;
        memcpy(texts + count, batch->texts + candidate->first, candidate->count * sizeof *texts);
        count += candidate->count;
    }
    if (!status && count) {
        float *vectors = wl_near_vectors(this->options.near_model, this->context, texts, count, this->error);
        wl_vectors queries = {vectors, count, this->held.dim, WL_ELEMENT_F32};
        wl_vectors rows = {this->held.vectors, this->held.rows, this->held.dim, WL_ELEMENT_F32};
        status =
            vectors ? wl_top_k(&queries, &rows, 1, WL_COSINE, this->context, matches, this->error) : this->error->code;
        free(vectors);
        if (!status) take_matches(this, matches);
    }
    free(matches);
    free(texts);
    return status;
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static wl_status reserve(wl_prepare_batch *batch, wl_error *error)
{
    size_t count = batch->sides.count;
    void *texts = batch->texts, *digests = batch->digests, *starts = batch->starts;
    wl_status status = wl_reserve(&texts, &batch->text_capacity, count, sizeof *batch->texts, error);
    batch->texts = texts;
    if (!status) status = wl_reserve(&digests, &batch->digest_capacity, count, sizeof *batch->digests, error);
    batch->digests = digests;
    if (!status) status = wl_reserve(&starts, &batch->start_capacity, count + 1, sizeof *batch->starts, error);
    batch->starts = starts;
    return status;
}

static wl_status find_digests(wl_prepare_batch *batch, wl_error *error)
{
    for (size_t i = 0; i < batch->sides.count; i++) {
        batch->scratch.size = 0;
        if (wl_fold_case(batch->texts[i], &batch->scratch, error)) return error->code;
        batch->digests[i] = wl_digest_bytes(batch->scratch.data, batch->scratch.size);
    }
    return WL_OK;
}

static wl_status encode(wl_preparation *this)
{
    wl_prepare_batch *batch = &this->batch;
    /* Texts have rarely more tokens than bytes, so that they are seldom encoded twice. */
    for (size_t room = batch->sides.bytes.size + 4 * batch->sides.count;; room = batch->starts[batch->sides.count]) {
        void *ids = batch->ids;
        wl_status status = wl_reserve(&ids, &batch->id_capacity, room, sizeof *batch->ids, this->error);
        batch->ids = ids;
        batch->starts[batch->sides.count] = 0;
        if (!status)
            status = wl_encode_batch(this->tokenizer, this->context, batch->texts, batch->sides.count, NULL, batch->ids,
                                     NULL, batch->id_capacity, batch->starts, this->error);
        if (status != WL_ERROR_LIMIT || batch->starts[batch->sides.count] <= batch->id_capacity) return status;
    }
}

/* ---- spills ------------------------------------------------------------------------------------------------------ */

/* {"reason": ..., "set": ..., "similarity": ..., "text": ..., "record": ...}, as far as it applies. */
static wl_status spill_removed(wl_preparation *this, const wl_candidate *candidate)
{
    wl_prepare_batch *batch = &this->batch;
    wl_json_writer json = {&batch->scratch, this->error, WL_OK};
    batch->scratch.size = 0;
    wl_json_write(&json, "-{\"reason\": \"%s\", ", wl_removed_name(candidate->reason));
    if (candidate->reason == WL_REMOVED_EVALUATION || candidate->reason == WL_REMOVED_NEAR) {
        wl_json_write(&json, "\"set\": ");
        const char *name = this->held.names[candidate->set];
        wl_prepare_write_name(&json, (wl_text){name, strlen(name)});
        wl_json_write(&json, ", ");
    }
    if (candidate->reason == WL_REMOVED_NEAR) {
        wl_json_write(&json, "\"similarity\": ");
        wl_json_write_number(&json, round((double)candidate->similarity * 1e6) / 1e6);
        wl_json_write(&json, ", ");
    }
    wl_json_write(&json, "\"text\": ");
    wl_json_write_string(&json, batch->texts[candidate->side]);
    wl_json_write(&json, ", \"record\": ");
    if (!json.status)
        json.status = wl_buffer_append(&batch->scratch, batch->objects.data + candidate->object_begin,
                                       candidate->object_size, this->error);
    wl_json_write(&json, "}\n");
    if (json.status) return json.status;
    return wl_spill_write(&this->spills[WL_SPILL_LINES], batch->scratch.data, batch->scratch.size, this->error);
}

/* The sides behind their record; they hold no line breaks. */
static wl_status spill_sides(wl_preparation *this, const wl_candidate *candidate)
{
    wl_spill *lines = &this->spills[WL_SPILL_LINES];
    for (size_t side = candidate->first; side < candidate->first + candidate->count; side++) {
        wl_text text = this->batch.texts[side];
        if (wl_spill_write(lines, "=", 1, this->error) || wl_spill_write(lines, text.data, text.size, this->error) ||
            wl_spill_write(lines, "\n", 1, this->error))
            return this->error->code;
    }
    return WL_OK;
}

static wl_status spill_kept(wl_preparation *this, const wl_candidate *candidate)
{
    const wl_prepare_batch *batch = &this->batch;
    wl_spill *spills = this->spills;
    wl_error *error = this->error;
    size_t begin = batch->starts[candidate->first], end = batch->starts[candidate->first + candidate->count];
    wl_text_digest digest =
        wl_digest_bytes(batch->digests + candidate->first, candidate->count * sizeof *batch->digests);
    wl_survivor survivor = {(uint32_t)candidate->count, candidate->score};
    if (wl_spill_write(&spills[WL_SPILL_IDS], batch->ids + begin, (end - begin) * sizeof *batch->ids, error) ||
        wl_spill_write(&spills[WL_SPILL_DIGESTS], &digest, sizeof digest, error) ||
        wl_spill_write(&spills[WL_SPILL_RECORDS], &survivor, sizeof survivor, error))
        return error->code;
    for (size_t side = candidate->first; side < candidate->first + candidate->count; side++) {
        uint64_t length = tokens_of(batch, side);
        if (wl_spill_write(&spills[WL_SPILL_LENGTHS], &length, sizeof length, error)) return error->code;
    }
    if (!this->options.kept && !this->options.removed && !this->options.texts) return WL_OK;
    if (wl_spill_write(&spills[WL_SPILL_LINES], "+", 1, error) ||
        wl_spill_write(&spills[WL_SPILL_LINES], batch->objects.data + candidate->object_begin, candidate->object_size,
                       error))
        return error->code;
    if (wl_spill_write(&spills[WL_SPILL_LINES], "\n", 1, error)) return error->code;
    return this->options.texts ? spill_sides(this, candidate) : WL_OK;
}

wl_status wl_prepare_check(wl_preparation *this)
{
    wl_prepare_batch *batch = &this->batch;
    wl_sides *sides = &batch->sides;
    if (!batch->count) return WL_OK;
    if (reserve(batch, this->error) || wl_buffer_reserve(&sides->bytes, 1, this->error)) return this->error->code;
    for (size_t i = 0, begin = 0; i < sides->count; begin = sides->ends[i++])
        batch->texts[i] = (wl_text){sides->bytes.data + begin, sides->ends[i] - begin};
    if (find_digests(batch, this->error) || encode(this)) return this->error->code;
    for (size_t i = 0; i < batch->count; i++) {
        wl_candidate *candidate = &batch->candidates[i];
        if (candidate->count > FEW_SIDES && find_same(batch, candidate, &candidate->same, this->error))
            return this->error->code;
        check_candidate(this, candidate);
    }
    if (this->held.vectors && check_similar(this)) return this->error->code;
    for (size_t i = 0; i < batch->count; i++) {
        const wl_candidate *candidate = &batch->candidates[i];
        wl_status status = WL_OK;
        if (candidate->reason == WL_REMOVED_REASONS)
            status = spill_kept(this, candidate);
        else if (this->options.removed)
            status = spill_removed(this, candidate);
        if (status) return status;
        if (candidate->reason != WL_REMOVED_REASONS) this->state.removed[candidate->reason]++;
    }
    this->state.records += batch->count;
    this->state.bytes += sides->bytes.size;
    return WL_OK;
}

void wl_prepare_batch_free(wl_prepare_batch *batch)
{
    free(batch->candidates);
    wl_sides_free(&batch->sides);
    wl_buffer_free(&batch->objects);
    wl_buffer_free(&batch->scratch);
    free(batch->texts);
    free(batch->digests);
    free(batch->starts);
    free(batch->ids);
    *batch = (wl_prepare_batch){0};
}
