/* Bytes out, to standard output or to a file that appears when complete, and the text that they are. */
#ifndef WL_CLI_IO_H
#define WL_CLI_IO_H

#include <stdarg.h>

#include "args.h"
#include "base/file.h"

/* ---- writing ----------------------------------------------------------------------------------------------------- */

typedef struct cli_output {
    FILE *stream;
    const char *name;    /* for messages */
    wl_replacement file; /* used where replaces */
    bool replaces;
    int unfinished; /* which of the files that a signal removes; -1: none */
} cli_output;

/* Whether a path (NULL: none given) means standard output: "-", or one of the names that the system has for it. */
bool is_standard_output(const char *path);
/* Standard output where is_standard_output says so. A device or pipe is written to directly, a regular file is replaced
 * at the end. */
wl_status output_open(cli_output *output, const char *path, wl_error *error);
wl_status output_write(cli_output *output, const void *data, size_t size, wl_error *error);
/* Writes what buffer holds once it is large, or with all in any case, and empties it. */
wl_status output_drain(cli_output *output, wl_buffer *buffer, bool all, wl_error *error);
wl_status output_flush(cli_output *output, wl_error *error);
/* Makes the file appear, or flushes and closes the stream: only now has everything been written. */
wl_status output_close(cli_output *output, wl_error *error);
/* Leaves no file behind. Harmless after output_close. */
void output_abandon(cli_output *output);
/* Removes a file being written when a signal ends the program. Writing to a closed pipe ends it in the same way, unless
 * the parent ignores SIGPIPE; a socket that is closed is a plain failure. */
void install_signal_handlers(void);
/* As they were before, for a program that takes this one's place: it would take an ignored SIGPIPE for the parent's
 * wish. */
void restore_signal_handlers(void);

/* Writes a buffer to standard output and closes it. */
wl_status print_all(const wl_buffer *buffer, wl_error *error);

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* printf-style; at most 4000 bytes. */
wl_status append_format(wl_buffer *buffer, wl_error *error, const char *format, ...) WL_PRINTF(3, 4);
/* The same from a list of arguments. */
wl_status append_format_list(wl_buffer *buffer, wl_error *error, const char *format, va_list arguments);
/* A whole number. */
wl_status append_unsigned(wl_buffer *buffer, uint64_t number, wl_error *error);
/* A JSON string with its quotes. Ill-formed UTF-8 becomes U+FFFD. */
wl_status append_json(wl_buffer *buffer, wl_text text, wl_error *error);

/* "0.061902", and never "-0.000000". */
wl_status append_score(wl_buffer *buffer, double score, wl_error *error);
/* The text on one line: its line breaks and tabs become spaces. */
wl_status append_flat(wl_buffer *buffer, wl_text text, wl_error *error);
/* A member of an object, behind others; nothing without a record (data NULL). */
wl_status append_record(wl_buffer *buffer, wl_text record, wl_error *error);
/* A line "score<TAB>text". */
wl_status append_match(wl_buffer *buffer, double score, wl_text text, wl_error *error);
/* An object with score, index, text and the record as for append_record; no line break. */
wl_status append_match_object(wl_buffer *buffer, double score, uint64_t index, wl_text text, wl_text record,
                              wl_error *error);
/* The text or record and a line break. */
wl_status append_line(wl_buffer *buffer, wl_text line, wl_error *error);

#define NUMBER_SIZE 24
/* The shortest form of "%.9g", which is exact for every float. Returns its length; no NUL. */
size_t format_float(char out[NUMBER_SIZE], float value);

#endif
