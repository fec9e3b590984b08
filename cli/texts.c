#include "texts.h"

#include <stdlib.h>
#include <string.h>

static bool lies_inside(wl_text text, wl_text record)
{
    uintptr_t from = (uintptr_t)record.data, at = (uintptr_t)text.data;
    return at >= from && at - from <= record.size && text.size <= record.size - (at - from);
}

wl_status texts_add(cli_texts *texts, wl_text text, wl_text record, uint64_t index, wl_error *error)
{
    void *places = texts->places;
    if (wl_reserve(&places, &texts->capacity, texts->count + 1, sizeof *texts->places, error)) return error->code;
    texts->places = places;
    cli_place *place = &texts->places[texts->count];
    bool inside = lies_inside(text, record);
    size_t begin = texts->bytes.size;
    *place = (cli_place){begin, text.size, begin, record.size, index};
    /* One byte more: no pointer is made of an array that an empty first text has not made. */
    if (wl_buffer_reserve(&texts->bytes, text.size + record.size + 1, error)) return error->code;
    if (inside)
        place->text += (size_t)(text.data - record.data);
    else
        place->record += text.size;
    if (!inside && wl_buffer_append(&texts->bytes, text.data, text.size, error)) return error->code;
    if (wl_buffer_append(&texts->bytes, record.data, record.size, error)) return error->code;
    texts->count++;
    return WL_OK;
}

wl_status texts_read(cli_texts *texts, cli_reader *reader, cli_progress *progress, wl_error *error)
{
    wl_text text;
    int got;
    while ((got = reader_next(reader, &text, error)) > 0) {
        if (texts_add(texts, text, reader->record, texts->count, error)) return error->code;
        if (texts->count % 4096 == 0) progress_tell(progress, texts->count, texts->bytes.size);
    }
    return got < 0 ? error->code : WL_OK;
}

wl_status texts_read_batch(cli_texts *texts, cli_reader *reader, uint64_t first, bool *more, wl_error *error)
{
    enum { BYTES = 1 << 20 };
    texts_clear(texts);
    *more = false;
    do {
        wl_text text;
        int got = reader_next(reader, &text, error);
        if (got <= 0) return *more = false, got < 0 ? error->code : WL_OK;
        *more = true;
        if (texts_add(texts, text, reader->record, first + texts->count, error)) return error->code;
    } while (texts->count < TEXTS_BATCH && texts->bytes.size < BYTES && reader_ready(reader));
    return WL_OK;
}

wl_text texts_text(const cli_texts *texts, size_t number)
{
    const cli_place *place = &texts->places[number];
    return (wl_text){texts->bytes.data + place->text, place->text_size};
}

wl_text texts_record(const cli_texts *texts, size_t number)
{
    const cli_place *place = &texts->places[number];
    return (wl_text){texts->bytes.data + place->record, place->record_size};
}

wl_text texts_object(const cli_texts *texts, const cli_reader *reader, size_t number)
{
    return reader->as_objects ? texts_record(texts, number) : (wl_text){NULL, 0};
}

wl_text *texts_list(const cli_texts *texts, wl_error *error)
{
    wl_text *list = wl_allocate(texts->count, sizeof *list, error);
    for (size_t i = 0; list && i < texts->count; i++) list[i] = texts_text(texts, i);
    return list;
}

void texts_keep(cli_texts *texts, wl_match *matches, size_t count)
{
    size_t end = 0;
    for (size_t i = 0; i < count; i++) {
        cli_place *place = &texts->places[matches[i].index];
        size_t begin = place->text < place->record ? place->text : place->record;
        size_t text_end = place->text + place->text_size, record_end = place->record + place->record_size;
        size_t size = (text_end > record_end ? text_end : record_end) - begin, moved = begin - end;
        if (size) memmove(texts->bytes.data + end, texts->bytes.data + begin, size);
        texts->places[i] =
            (cli_place){place->text - moved, place->text_size, place->record - moved, place->record_size, place->index};
        matches[i].index = i;
        end += size;
    }
    texts->bytes.size = end;
    texts->count = count;
}

void texts_clear(cli_texts *texts)
{
    texts->bytes.size = texts->count = 0;
}

void texts_free(cli_texts *texts)
{
    wl_buffer_free(&texts->bytes);
    free(texts->places);
    *texts = (cli_texts){0};
}
