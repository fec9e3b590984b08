/* Texts kept in memory, one behind the other, each with the record it came from and its place in the input. */
#ifndef WL_CLI_TEXTS_H
#define WL_CLI_TEXTS_H

#include "progress.h"
#include "read.h"

enum { TEXTS_BATCH = 8192 }; /* the most texts of a batch */

typedef struct cli_place {
    size_t text, text_size, record, record_size; /* in bytes */
    uint64_t index;                              /* place in the input, from 0 */
} cli_place;

typedef struct cli_texts {
    wl_buffer bytes;
    cli_place *places;
    size_t count, capacity;
} cli_texts;

/* A text that lies inside its record is kept once. */
wl_status texts_add(cli_texts *texts, wl_text text, wl_text record, uint64_t index, wl_error *error);
/* All that a reader has left; places go on from the number of texts. */
wl_status texts_read(cli_texts *texts, cli_reader *reader, cli_progress *progress, wl_error *error);
/* The next batch, which ends where it is large, or where the reader would have to wait; on failure what was read before
 * it. *more: whether there may be another. first: place of its first text in the input. */
wl_status texts_read_batch(cli_texts *texts, cli_reader *reader, uint64_t first, bool *more, wl_error *error);
/* Valid until the next text is added. */
wl_text texts_text(const cli_texts *texts, size_t number);
wl_text texts_record(const cli_texts *texts, size_t number);
/* The record where the reader made it an object, else none: data NULL. */
wl_text texts_object(const cli_texts *texts, const cli_reader *reader, size_t number);
/* All texts as an array, to be freed; NULL out of memory. */
wl_text *texts_list(const cli_texts *texts, wl_error *error);
/* Keeps the texts that matches name, which are sorted by index, and renumbers the matches from 0. */
void texts_keep(cli_texts *texts, wl_match *matches, size_t count);
void texts_clear(cli_texts *texts);
void texts_free(cli_texts *texts);

#endif
