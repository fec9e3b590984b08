/* Texts in: from the arguments, from lines, from members of JSON lines, from columns of CSV, from whole files. */
#ifndef WL_CLI_READ_H
#define WL_CLI_READ_H

#include "args.h"
#include "data/bytes.h"

typedef enum reader_shape {
    SHAPE_LINES, /* each line is a text */
    SHAPE_JSONL, /* each line is a JSON object, the text its member */
    SHAPE_CSV,   /* each record's field in one column is a text */
    SHAPE_WHOLE, /* each file is a text */
} reader_shape;

/* A record is what a text was taken from, as it stands in the input: a line, or several in CSV. With as_objects it is a
 * JSON object on one line instead, without white space around it. */
typedef struct cli_reader {
    const char *const *arguments; /* the texts themselves; used where argument_count > 0 */
    size_t argument_count;
    const char *const *paths; /* the files to read one after the other */
    size_t path_count;
    size_t next; /* index of the next argument or file */
    reader_shape shape;
    const char *field;   /* the JSON member or the CSV column */
    bool without_header; /* CSV: field is the column's number */
    char delimiter;      /* CSV: between columns */
    bool as_objects;     /* set where records are objects: JSON lines and CSV, where --json asks for them */
    bool takes_any_line; /* lines: of no matter what, so a file's name says nothing about the flags */
    bool one_header;     /* CSV: a file whose header is not that of the first one is refused */
    wl_bytes bytes;      /* of the file being read */
    uint64_t line;       /* number of the line where the last record begins */
    uint64_t lines;      /* number of lines read */
    wl_buffer block;     /* bytes read; [begin, block.size) are not consumed yet */
    size_t begin;
    wl_text record;   /* of the last text, without '\n'; valid as long as the text */
    wl_buffer header; /* CSV: of the first file */
    wl_buffer names,
        first_names; /* CSV: the names of the columns of this file and of the first one, as JSON strings with
                      * '\0' behind each */
    size_t column;   /* CSV: which one, from 0 */
    size_t columns;  /* CSV: how many a record has; 0: not known yet */
    wl_buffer scratch;
    wl_buffer repaired; /* a line of JSON that was ill-formed */
    wl_buffer object;   /* the record where it is a CSV record as an object */
    uint64_t replaced;  /* ill-formed subparts in such lines */
} cli_reader;

/* The texts are operands[first...], or what --input names, or standard input (which a single "-" names too). Refuses
 * flags that contradict. Opens nothing yet. Free with reader_close, also after a failure. */
wl_status reader_open(cli_reader *reader, const cli_settings *settings, size_t first, wl_error *error);
/* The operands are files, and each is one text, or holds many with --jsonl or --csv. */
wl_status reader_open_files(cli_reader *reader, const cli_settings *settings, wl_error *error);
/* The files of a list, read as --jsonl and --csv say. */
wl_status reader_open_list(cli_reader *reader, const cli_settings *settings, const cli_list *files, wl_error *error);

/* For who prints records, before the first reader_next: appends the header of CSV, and refuses other ones later. */
wl_status reader_take_header(cli_reader *reader, wl_buffer *out, wl_error *error);
/* As wl_source.next: 1 and a text that is valid until the next call, 0 at the end, -1 on failure. Lines end at '\n', a
 * '\r' before it is dropped; a last line without '\n' counts; lines may have any length and any bytes. In JSON lines
 * and in CSV empty lines are passed over. */
int reader_next(void *user, wl_text *text, wl_error *error);
/* Whether reader_next would very likely not have to wait for whoever writes the input. */
bool reader_ready(const cli_reader *reader);
void reader_close(cli_reader *reader);

/* An argument as text, made well-formed in room, for what is given to the library more than once; *replaced grows by
 * the number of ill-formed subparts. Valid as long as room. */
wl_status argument_text(const char *argument, wl_buffer *room, uint64_t *replaced, wl_text *text, wl_error *error);

/* ---- from a record to its text (records.c) ----------------------------------------------------------------------- */

/* Replace *text, a record, by the field. On failure the error holds file and line. */
wl_status take_member(cli_reader *reader, wl_text *text, wl_error *error);
wl_status take_column(cli_reader *reader, wl_text *text, wl_error *error);
/* A record, from which the text was just taken, becomes an object. */
wl_status take_object(cli_reader *reader, wl_text *record, wl_error *error);
/* Finds the column in a header. */
wl_status take_header(cli_reader *reader, wl_text record, wl_error *error);

#endif
