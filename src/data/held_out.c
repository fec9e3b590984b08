#include "data/held_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/fold.h"
#include "data/sets.h"

static wl_status take_name(wl_held_out *held, const wl_set *set, wl_error *error)
{
    size_t size = strlen(set->group) + strlen(set->name) + 2;
    char *name = wl_allocate(size, 1, error);
    if (!name) return WL_ERROR_MEMORY;
    snprintf(name, size, "%s/%s", set->group, set->name);
    held->names[held->count++] = name;
    return WL_OK;
}

/* Texts of the last set named. */
static wl_status take_digests(wl_held_out *held, const wl_text *texts, size_t count, wl_buffer *folded, wl_error *error)
{
    bool added;
    for (size_t i = 0; i < count; i++) {
        folded->size = 0;
        if (wl_fold_case(texts[i], folded, error)) return error->code;
        if (!folded->size) continue; /* a document without a title */
        wl_text_digest digest = wl_digest_bytes(folded->data, folded->size);
        if (wl_digests_add(&held->digests, digest, (uint32_t)held->count - 1, &added, error)) return error->code;
    }
    return WL_OK;
}

static wl_status take_set(wl_held_out *held, const wl_set *set, wl_buffer *folded, wl_error *error)
{
    if (take_name(held, set, error) || take_digests(held, set->texts, set->text_count, folded, error))
        return error->code;
    if (set->task != WL_TASK_RETRIEVAL) return WL_OK;
    wl_status status = take_digests(held, set->titles, set->document_count, folded, error);
    return status ? status : take_digests(held, set->bodies, set->document_count, folded, error);
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

float *wl_near_vectors(const wl_model *model, wl_context *context, const wl_text *texts, size_t count, wl_error *error)
{
    size_t row = wl_model_describe(model).dim * sizeof(float);
    wl_embed_options options = {.size = sizeof options, .normalize = WL_ON};
    float *vectors = wl_allocate(count, row, error);
    if (vectors && !wl_embed(model, context, texts, count, &options, vectors, count * row, error)) return vectors;
    free(vectors);
    return NULL;
}

/* The texts of a set as those that they are compared with are: with single spaces. */
static float *set_vectors(const wl_set *set, const wl_model *model, wl_context *context, wl_error *error)
{
    wl_buffer bytes = {0};
    size_t *ends = wl_allocate(set->text_count, sizeof *ends, error);
    wl_text *texts = ends ? wl_allocate(set->text_count, sizeof *texts, error) : NULL;
    wl_status status = texts ? wl_buffer_reserve(&bytes, 1, error) : WL_ERROR_MEMORY;
    for (size_t i = 0; i < set->text_count && !status; i++) {
        status = wl_fold_spaces(set->texts[i], &bytes, error);
        ends[i] = bytes.size;
    }
    for (size_t i = 0, begin = 0; i < set->text_count && !status; begin = ends[i++])
        texts[i] = (wl_text){bytes.data + begin, ends[i] - begin};
    float *vectors = status ? NULL : wl_near_vectors(model, context, texts, set->text_count, error);
    wl_buffer_free(&bytes);
    free(texts);
    free(ends);
    return vectors;
}

static wl_status take_vectors(wl_held_out *held, const wl_sets *sets, const wl_model *model, wl_context *context,
                              wl_error *error)
{
    size_t at = 0;
    for (size_t i = 0; i < sets->count; i++) held->rows += sets->sets[i].text_count;
    held->dim = wl_model_describe(model).dim;
    held->vectors = wl_allocate(held->rows, held->dim * sizeof *held->vectors, error);
    if (held->vectors) held->owners = wl_allocate(held->rows, sizeof *held->owners, error);
    if (!held->vectors || !held->owners) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < sets->count; i++) {
        const wl_set *set = &sets->sets[i];
        float *vectors = set_vectors(set, model, context, error);
        if (!vectors) return error->code;
        memcpy(held->vectors + at * held->dim, vectors, set->text_count * held->dim * sizeof *vectors);
        free(vectors);
        for (size_t j = 0; j < set->text_count; j++) held->owners[at++] = (uint32_t)i;
    }
    return WL_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

wl_status wl_held_out_open(wl_held_out *held, const wl_prepare_options *options, wl_context *context, wl_error *error)
{
    *held = (wl_held_out){0};
    if (!options->evaluation_count) return WL_OK;
    wl_sets_options how = {.size = sizeof how, .message = options->message, .user = options->user};
    wl_sets *sets = wl_sets_open(options->evaluation, options->evaluation_count, &how, error);
    if (!sets) return error->code;
    wl_buffer folded = {0};
    held->names = wl_allocate(sets->count, sizeof *held->names, error);
    wl_status status = held->names ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < sets->count && !status; i++) status = take_set(held, &sets->sets[i], &folded, error);
    if (!status && options->near_model) status = take_vectors(held, sets, options->near_model, context, error);
    wl_buffer_free(&folded);
    wl_sets_close(sets);
    return status;
}

void wl_held_out_close(wl_held_out *held)
{
    for (size_t i = 0; i < held->count; i++) free(held->names[i]);
    free(held->names);
    wl_digests_free(&held->digests);
    free(held->vectors);
    free(held->owners);
    *held = (wl_held_out){0};
}

wl_text_digest wl_held_out_digest(const wl_held_out *held)
{
    /* The same texts in the same order give the same slots. */
    wl_text_digest all[3] = {
        wl_digest_bytes(held->digests.slots, held->digests.capacity * sizeof *held->digests.slots),
        wl_digest_bytes(held->vectors, held->rows * held->dim * sizeof *held->vectors),
    };
    for (size_t i = 0; i < held->count; i++) {
        all[2] = wl_digest_bytes(all, sizeof all);
        wl_text_digest name = wl_digest_bytes(held->names[i], strlen(held->names[i]));
        all[2].low += name.low, all[2].high += name.high;
    }
    return wl_digest_bytes(all, sizeof all);
}
