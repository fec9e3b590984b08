/* wl_split: cut a text into pieces, compare neighbours, join up to the target what lies between two minima. */
#include <stdlib.h>
#include <string.h>

#include "algo/minima.h"
#include "algo/sentences.h"
#include "model/model.h"
#include "text/unicode/utf8.h"

enum { SLICE = 1024 }; /* pieces whose vectors are held at a time */

/* Minima count when they are among the lowest similarities: the package's max_score_pct. */
static const double lowest_part = 0.4;

struct wl_chunks {
    wl_chunk *items;
    size_t count;
    char *bytes; /* what the chunks' texts point into */
    wl_minima minima;
};

/* A call's work, and what it holds until it is done. */
struct split {
    const wl_model *model;
    wl_context *context;
    wl_split_options options;
    wl_text given, text; /* as given; well-formed */
    wl_buffer repaired;
    wl_passages pieces;
    wl_chunks *chunks;
};

/* ---- options ----------------------------------------------------------------------------------------------------- */

static uint32_t or_default(uint32_t given, uint32_t usual)
{
    return given ? given : usual;
}

static wl_status read_options(wl_split_options *chosen, const wl_split_options *given, wl_error *error)
{
    if (wl_read_options(chosen, sizeof *chosen, given, "wl_split_options", error)) return error->code;
    chosen->target_size = or_default(chosen->target_size, 1536);
    chosen->intermediate_size = or_default(chosen->intermediate_size, 96);
    chosen->cleanup_size = or_default(chosen->cleanup_size, 24);
    chosen->window = or_default(chosen->window, 3);
    chosen->smoothing_window = or_default(chosen->smoothing_window, 3);
    chosen->polynomial_order = or_default(chosen->polynomial_order, 2);
    if (chosen->target_size <= chosen->intermediate_size)
        return wl_fail(error, WL_ERROR_ARGUMENT, "target_size is %u, expected more than intermediate_size, %u",
                       chosen->target_size, chosen->intermediate_size);
    if (chosen->intermediate_size <= chosen->cleanup_size)
        return wl_fail(error, WL_ERROR_ARGUMENT, "intermediate_size is %u, expected more than cleanup_size, %u",
                       chosen->intermediate_size, chosen->cleanup_size);
    if (chosen->window < 3 || chosen->window % 2 == 0)
        return wl_fail(error, WL_ERROR_ARGUMENT, "window is %u, expected an odd number from 3 on", chosen->window);
    if (chosen->smoothing_window < 3 || chosen->smoothing_window % 2 == 0)
        return wl_fail(error, WL_ERROR_ARGUMENT, "smoothing_window is %u, expected an odd number from 3 on",
                       chosen->smoothing_window);
    if (chosen->polynomial_order >= chosen->smoothing_window)
        return wl_fail(error, WL_ERROR_ARGUMENT, "polynomial_order is %u, expected less than smoothing_window, %u",
                       chosen->polynomial_order, chosen->smoothing_window);
    return WL_OK;
}

/* ---- well-formed text -------------------------------------------------------------------------------------------- */

/* Turns places in a repaired text, which come in ascending order, into places in the text as it was given. */
struct walker {
    wl_text given;
    size_t at, repaired; /* the same place in both: the end of a well-formed run, or its start when run is not 0 */
    size_t run;          /* well-formed bytes ahead */
};

static size_t walk(struct walker *walker, size_t repaired)
{
    while (walker->repaired + walker->run < repaired) {
        walker->at += walker->run;
        walker->repaired += walker->run;
        const char *rest = walker->given.data + walker->at;
        size_t left = walker->given.size - walker->at;
        walker->run = wl_utf8_valid(rest, left);
        if (walker->run) continue;
        bool valid;
        walker->at += wl_utf8_sequence(rest, left, &valid);
        walker->repaired += 3; /* U+FFFD */
    }
    return walker->at + (repaired - walker->repaired);
}

/* ---- sizes in tokens --------------------------------------------------------------------------------------------- */

struct measuring {
    const wl_model *model;
    wl_context *context;
    const char *text;
    wl_passage *pieces;
    size_t count, group; /* pieces; pieces an item of work */
};

static void measure_group(void *user, uint32_t index, size_t item)
{
    const struct measuring *measuring = user;
    wl_worker *worker = &measuring->context->workers[index];
    size_t begin = item * measuring->group;
    size_t end = measuring->count - begin < measuring->group ? measuring->count : begin + measuring->group;
    for (size_t i = begin; i < end; i++) {
        wl_passage *piece = &measuring->pieces[i];
        wl_text text = {measuring->text + piece->begin, piece->end - piece->begin};
        wl_error error;
        if (wl_tokenize(measuring->model->tokenizer, text, false, &worker->text, &error)) {
            wl_worker_fail(worker, i, &error);
            return;
        }
        piece->size = worker->text.tokens.count;
    }
}

static wl_status measure(void *user, const char *text, wl_passage *pieces, size_t count, wl_error *error)
{
    struct measuring *measuring = user;
    measuring->text = text;
    measuring->pieces = pieces;
    measuring->count = count;
    measuring->group = 64;
    return wl_context_run(measuring->context, (count + 63) / 64, measure_group, measuring, error);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* A slice of the pieces at a time: their vectors, and what they are similar to. */
struct slice {
    wl_text *texts;
    float *rows;
    size_t capacity;
};

static wl_status compare_slices(const struct split *split, const char *bytes, const struct slice *slice,
                                wl_windowed *windowed, wl_error *error)
{
    const wl_embed_options unit = {.size = sizeof unit, .normalize = WL_ON};
    const wl_passages *pieces = &split->pieces;
    size_t row = split->model->dim * sizeof *slice->rows;
    for (size_t begin = 0, size; begin < pieces->count; begin += size) {
        size = pieces->count - begin < slice->capacity ? pieces->count - begin : slice->capacity;
        for (size_t i = 0; i < size; i++) {
            const wl_passage *piece = &pieces->items[begin + i];
            slice->texts[i] = (wl_text){bytes + piece->begin, piece->end - piece->begin};
        }
        if (wl_embed(split->model, split->context, slice->texts, size, &unit, slice->rows, size * row, error))
            return error->code;
        wl_windowed_add(windowed, slice->rows, size);
    }
    wl_windowed_end(windowed);
    return WL_OK;
}

/* The similarity of each piece with those around it. Vectors are made in slices, so that they take little memory. */
static wl_status compare(const struct split *split, const char *bytes, float *similarity, wl_error *error)
{
    size_t count = split->pieces.count, dim = split->model->dim;
    struct slice slice = {.capacity = count < SLICE ? count : SLICE};
    wl_windowed windowed;
    wl_status status = wl_windowed_begin(&windowed, split->options.window, dim, count, similarity, error);
    slice.texts = status ? NULL : wl_allocate(slice.capacity, sizeof *slice.texts, error);
    slice.rows = slice.texts ? wl_allocate(slice.capacity, dim * sizeof *slice.rows, error) : NULL;
    status = slice.texts && slice.rows ? compare_slices(split, bytes, &slice, &windowed, error) : error->code;
    wl_windowed_free(&windowed);
    free(slice.rows);
    free(slice.texts);
    return status;
}

/* Joins the pieces between two minima up to the target. */
static void join_between(wl_passages *pieces, const wl_minima *minima, size_t target, size_t separator)
{
    float limit = wl_quantile(minima->similarity, minima->pieces, lowest_part);
    size_t kept = 0, begin = 0;
    for (size_t i = 0; i <= minima->count; i++) {
        size_t end = i < minima->count ? minima->places[i] : pieces->count;
        if (i < minima->count && !(minima->similarity[end] < limit)) continue;
        size_t count = wl_coalesce(pieces->items + begin, end - begin, target, separator);
        memmove(pieces->items + kept, pieces->items + begin, count * sizeof *pieces->items);
        kept += count;
        begin = end;
    }
    pieces->count = kept;
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

/* Cuts the text into pieces; *bytes is what their begin and end are places of. */
static wl_status cut_text(struct split *split, const char **bytes, wl_error *error)
{
    struct measuring measuring = {.model = split->model, .context = split->context};
    const wl_split_options *options = &split->options;
    const wl_cut cut = {options->target_size, options->intermediate_size, options->cleanup_size,
                        options->tokens ? measure : NULL, &measuring};
    if (wl_utf8_valid(split->given.data, split->given.size) < split->given.size) {
        uint64_t *replaced = &split->context->workers[0].text.replaced;
        if (wl_utf8_repair(split->given.data, split->given.size, &split->repaired, replaced, error)) return error->code;
        split->text = (wl_text){split->repaired.data, split->repaired.size};
    }
    /* With spans the chunks' texts are the bytes as they were given, without they are made here. */
    *bytes = split->text.data;
    const wl_text *source = options->spans ? &split->given : &split->text;
    split->chunks->bytes = wl_allocate(source->size, 1, error);
    if (!split->chunks->bytes) return error->code;
    if (options->spans) {
        memcpy(split->chunks->bytes, source->data, source->size);
        return wl_cut_spans(split->text, &cut, &split->pieces, error);
    }
    *bytes = split->chunks->bytes;
    return wl_cut_lines(split->text, &cut, split->chunks->bytes, &split->pieces, error);
}

static wl_status find_minima(struct split *split, const char *bytes, wl_error *error)
{
    const wl_passages *pieces = &split->pieces;
    wl_minima *minima = &split->chunks->minima;
    minima->similarity = wl_allocate(pieces->count, sizeof *minima->similarity, error);
    if (!minima->similarity) return error->code;
    minima->places = wl_allocate(pieces->count, sizeof *minima->places, error);
    if (!minima->places) return error->code;
    minima->pieces = pieces->count;
    if (compare(split, bytes, minima->similarity, error)) return error->code;
    return wl_local_minima(minima->similarity, pieces->count, split->options.smoothing_window,
                           split->options.polynomial_order, minima->places, &minima->count, error);
}

static wl_status make_chunks(struct split *split, wl_error *error)
{
    wl_chunks *chunks = split->chunks;
    const wl_passages *pieces = &split->pieces;
    struct walker walker = {.given = split->given};
    chunks->items = wl_allocate(pieces->count, sizeof *chunks->items, error);
    if (!chunks->items) return error->code;
    for (size_t i = 0; i < pieces->count; i++) {
        const wl_passage *piece = &pieces->items[i];
        wl_chunk *chunk = &chunks->items[chunks->count++];
        chunk->begin = split->repaired.size ? walk(&walker, piece->from) : piece->from;
        chunk->end = split->repaired.size ? walk(&walker, piece->to) : piece->to;
        size_t begin = split->options.spans ? chunk->begin : piece->begin;
        size_t end = split->options.spans ? chunk->end : piece->end;
        chunk->text = (wl_text){chunks->bytes + begin, end - begin};
    }
    return WL_OK;
}

static wl_status run(struct split *split, wl_error *error)
{
    const char *bytes = NULL;
    if (split->given.size == 0) return WL_OK;
    if (cut_text(split, &bytes, error)) return error->code;
    if (split->pieces.count == 0) return WL_OK;
    if (find_minima(split, bytes, error)) return error->code;
    join_between(&split->pieces, &split->chunks->minima, split->options.target_size, split->options.spans ? 0 : 1);
    return make_chunks(split, error);
}

wl_chunks *wl_split(const wl_model *model, wl_context *context, wl_text text, const wl_split_options *options,
                    wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct split split = {.model = model, .context = context, .given = text, .text = text};
    if (read_options(&split.options, options, error)) return NULL;
    if (!model || !context || (text.size && !text.data))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_split: an argument is NULL"), NULL;
    split.chunks = wl_allocate(1, sizeof *split.chunks, error);
    if (!split.chunks) return NULL;
    wl_status status = run(&split, error);
    wl_buffer_free(&split.repaired);
    free(split.pieces.items);
    if (!status) return split.chunks;
    wl_chunks_free(split.chunks);
    return NULL;
}

size_t wl_chunks_count(const wl_chunks *chunks)
{
    return chunks->count;
}

wl_chunk wl_chunks_at(const wl_chunks *chunks, size_t index)
{
    return index < chunks->count ? chunks->items[index] : (wl_chunk){0};
}

wl_minima wl_chunks_minima(const wl_chunks *chunks)
{
    return chunks->minima;
}

void wl_chunks_free(wl_chunks *chunks)
{
    if (!chunks) return;
    free(chunks->items);
    free(chunks->bytes);
    free(chunks->minima.similarity);
    free(chunks->minima.places);
    free(chunks);
}
