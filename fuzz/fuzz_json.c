/* Any bytes: skipping and reading must agree on what is JSON, and on where it is not. */
#include <stdlib.h>
#include <string.h>

#include "format/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_value(wl_json *json)
{
    wl_text key;
    switch (wl_json_peek(json)) {
    case WL_JSON_NONE:
        break;
    case WL_JSON_NULL:
        if (!wl_json_null(json) && !wl_json_failed(json)) abort();
        break;
    case WL_JSON_BOOLEAN:
        wl_json_boolean(json);
        break;
    case WL_JSON_NUMBER: {
        wl_json again = *json;
        wl_error ignored;
        again.error = &ignored;
        wl_json_unsigned(&again, 1000);
        wl_json_number(json);
        break;
    }
    case WL_JSON_STRING: {
        wl_text text = wl_json_string(json);
        if (!text.data) abort();
        volatile char last = text.size ? text.data[text.size - 1] : 0;
        (void)last;
        break;
    }
    case WL_JSON_ARRAY:
        wl_json_begin_array(json);
        while (wl_json_element(json)) read_value(json);
        break;
    case WL_JSON_OBJECT:
        wl_json_begin_object(json);
        while (wl_json_member(json, &key)) read_value(json);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* libFuzzer's own buffer is followed by others; this one ends at a red zone. */
    char *text = malloc(size ? size : 1);
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    wl_buffer scratch = {0};
    wl_error skip_error, read_error;
    wl_json json;
    wl_json_open(&json, text, size, "fuzz", &scratch, &skip_error);
    wl_json_skip(&json);
    wl_status skipped = wl_json_close(&json);
    wl_json_open(&json, text, size, "fuzz", &scratch, &read_error);
    read_value(&json);
    wl_status read = wl_json_close(&json);
    if (skipped != read) abort();
    if (read && (skip_error.byte != read_error.byte || read_error.byte > size || read_error.line == 0)) abort();
    wl_buffer_free(&scratch);
    free(text);
    return 0;
}
