/* Texts in (arguments, lines, JSONL, gzip), bytes out (standard output or a file that appears when complete). */
#ifndef WL_CLI_IO_H
#define WL_CLI_IO_H

#include "args.h"
#include "base/file.h"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct cli_reader {
    const char *const *arguments; /* the texts themselves; used where argument_count > 0 */
    size_t argument_count;
    const char *const *paths; /* the files to read one after the other */
    size_t path_count;
    size_t next;       /* index of the next argument or file */
    const char *field; /* NULL: a line is a text; else it is a JSON object and this is the text's member */
    void *file;        /* gzFile; NULL between files */
    const char *name;  /* of file, for messages */
    uint64_t line;     /* number of the line read last */
    wl_buffer block;   /* bytes read; [begin, block.size) are not consumed yet */
    size_t begin;
    bool ended; /* file gives no more */
    wl_buffer scratch;
    wl_buffer repaired; /* a line of JSON that was ill-formed */
    uint64_t replaced;  /* ill-formed subparts in such lines */
} cli_reader;

/* The texts are operands[first...], or what --input names, or standard input (which a single "-" names too). Refuses
 * flags that contradict. Opens nothing yet. Free with reader_close, also after a failure. */
wl_status reader_open(cli_reader *reader, const cli_settings *settings, size_t first, wl_error *error);
/* As wl_source.next: 1 and a text that is valid until the next call, 0 at the end, -1 on failure. Lines end at '\n', a
 * '\r' before it is dropped; a last line without '\n' counts; lines may have any length and any bytes. Between JSON
 * objects empty lines are passed over. */
int reader_next(void *user, wl_text *text, wl_error *error);
void reader_close(cli_reader *reader);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

typedef struct cli_output {
    FILE *stream;
    const char *name;    /* for messages */
    wl_replacement file; /* used where replaces */
    bool replaces;
    int unfinished; /* which of the files that a signal removes; -1: none */
} cli_output;

/* path NULL or "-": standard output. A device or pipe is written to directly, a regular file is replaced at the end. */
wl_status output_open(cli_output *output, const char *path, wl_error *error);
wl_status output_write(cli_output *output, const void *data, size_t size, wl_error *error);
/* Writes what buffer holds once it is large, or with all in any case, and empties it. */
wl_status output_drain(cli_output *output, wl_buffer *buffer, bool all, wl_error *error);
wl_status output_flush(cli_output *output, wl_error *error);
/* Makes the file appear, or flushes and closes the stream: only now has everything been written. */
wl_status output_close(cli_output *output, wl_error *error);
/* Leaves no file behind. Harmless after output_close. */
void output_abandon(cli_output *output);
/* Removes a file being written when a signal ends the program; makes writing to a closed pipe a plain failure. */
void install_signal_handlers(void);

/* Writes a buffer to standard output and closes it. */
wl_status print_all(const wl_buffer *buffer, wl_error *error);

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* printf-style; at most 4000 bytes. */
wl_status append_format(wl_buffer *buffer, wl_error *error, const char *format, ...) WL_PRINTF(3, 4);
/* A whole number. */
wl_status append_unsigned(wl_buffer *buffer, uint64_t number, wl_error *error);
/* A JSON string with its quotes. Ill-formed UTF-8 becomes U+FFFD. */
wl_status append_json(wl_buffer *buffer, wl_text text, wl_error *error);

#define NUMBER_SIZE 24
/* The shortest form of "%.9g", which is exact for every float. Returns its length; no NUL. */
size_t format_float(char out[NUMBER_SIZE], float value);

#endif
