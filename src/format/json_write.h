/* Writing JSON: numbers and punctuation by a format, strings with their escapes. Errors are sticky, as in json.h: after
 * the first one nothing more is written, so a writer is written without checks and its status looked at once. */
#ifndef WL_FORMAT_JSON_WRITE_H
#define WL_FORMAT_JSON_WRITE_H

#include "base/memory.h"

/* Begin with {buffer, error}; both are borrowed. */
typedef struct wl_json_writer {
    wl_buffer *buffer; /* appended to */
    wl_error *error;
    wl_status status;
} wl_json_writer;

/* As printf; nothing is escaped. */
void wl_json_write(wl_json_writer *json, const char *format, ...) WL_PRINTF(2, 3);
/* A string with its quotes. Bytes from 0x80 on stay as they are: well-formed UTF-8 gives well-formed JSON. */
void wl_json_write_string(wl_json_writer *json, wl_text text);
/* A finite number with as few digits as read back as the same double, whatever the locale. */
void wl_json_write_number(wl_json_writer *json, double number);

#endif
