#include "data/held_out.h"

#include <stdlib.h>
#include <string.h>

#include "data/fold.h"
#include "data/held_texts.h"

/* While the sets are read. */
typedef struct reading {
    wl_held_out *held;
    const char *file; /* the visitor's, of the last name */
    size_t name_capacity;
    wl_buffer folded;
    bool keeps;      /* texts are wanted for their vectors */
    wl_buffer texts; /* with single spaces, one behind the other */
    size_t *ends;    /* (count) */
    size_t count, end_capacity, owner_capacity;
} reading;

static wl_status take_name(reading *this, const char *file, wl_error *error)
{
    wl_held_out *held = this->held;
    void *names = held->names;
    wl_status status = wl_reserve(&names, &this->name_capacity, held->count + 1, sizeof(char *), error);
    held->names = names;
    char *name = status ? NULL : wl_copy_text(file, strlen(file), error);
    if (!name) return WL_ERROR_MEMORY;
    held->names[held->count++] = name;
    this->file = file;
    return WL_OK;
}

static wl_status keep_text(reading *this, wl_text text, wl_error *error)
{
    void *ends = this->ends, *owners = this->held->owners;
    wl_status status = wl_reserve(&ends, &this->end_capacity, this->count + 1, sizeof *this->ends, error);
    this->ends = ends;
    if (!status)
        status = wl_reserve(&owners, &this->owner_capacity, this->count + 1, sizeof *this->held->owners, error);
    this->held->owners = owners;
    if (!status) status = wl_fold_spaces(text, &this->texts, error);
    if (status) return status;
    this->held->owners[this->count] = (uint32_t)this->held->count - 1;
    this->ends[this->count++] = this->texts.size;
    return WL_OK;
}

/* A text that an earlier file has is there already, and its vector. */
static wl_status take_text(void *user, const char *file, wl_text text, wl_error *error)
{
    reading *this = user;
    wl_held_out *held = this->held;
    bool added, named = held->count && this->file == file && strcmp(held->names[held->count - 1], file) == 0;
    if (!named && take_name(this, file, error)) return error->code;
    this->folded.size = 0;
    if (wl_fold_case(text, &this->folded, error)) return error->code;
    if (!this->folded.size) return WL_OK; /* a document without a title */
    wl_text_digest digest = wl_digest_bytes(this->folded.data, this->folded.size);
    if (wl_digests_add(&held->digests, digest, (uint32_t)held->count - 1, &added, error)) return error->code;
    return added && this->keeps ? keep_text(this, text, error) : WL_OK;
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

static wl_status take_vectors(reading *this, const wl_model *model, wl_context *context, wl_error *error)
{
    wl_held_out *held = this->held;
    wl_text *texts = wl_allocate(this->count, sizeof *texts, error);
    if (!texts) return WL_ERROR_MEMORY;
    for (size_t i = 0, begin = 0; i < this->count; begin = this->ends[i++])
        texts[i] = (wl_text){this->texts.data + begin, this->ends[i] - begin};
    held->rows = this->count;
    held->dim = wl_model_describe(model).dim;
    held->vectors = wl_near_vectors(model, context, texts, this->count, error);
    free(texts);
    return held->vectors ? WL_OK : error->code;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

wl_status wl_held_out_open(wl_held_out *held, const wl_prepare_options *options, wl_context *context, wl_error *error)
{
    *held = (wl_held_out){0};
    if (!options->evaluation_count) return WL_OK;
    reading this = {.held = held, .keeps = options->near_model != NULL};
    wl_text_visitor visitor = {take_text, &this};
    wl_status status = wl_visit_texts(options->evaluation, options->evaluation_count, visitor, error);
    if (!status && this.keeps) status = take_vectors(&this, options->near_model, context, error);
    wl_buffer_free(&this.folded);
    wl_buffer_free(&this.texts);
    free(this.ends);
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
