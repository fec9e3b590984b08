#include "format/json_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_bytes(wl_json_writer *json, const void *data, size_t size)
{
    if (!json->status) json->status = wl_buffer_append(json->buffer, data, size, json->error);
}

void wl_json_write(wl_json_writer *json, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    size_t length = (size_t)vsnprintf(NULL, 0, format, arguments);
    if (!json->status) json->status = wl_buffer_reserve(json->buffer, length + 1, json->error);
    if (!json->status) {
        vsnprintf(json->buffer->data + json->buffer->size, length + 1, format, again);
        json->buffer->size += length;
    }
    va_end(again);
    va_end(arguments);
}

void wl_json_write_string(wl_json_writer *json, wl_text text)
{
    size_t plain = 0; /* where what is not yet written begins */
    write_bytes(json, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        write_bytes(json, text.data + plain, i - plain);
        if (c < 0x20)
            wl_json_write(json, "\\u%04x", c);
        else
            wl_json_write(json, "\\%c", c);
        plain = i + 1;
    }
    if (text.size > plain) write_bytes(json, text.data + plain, text.size - plain);
    write_bytes(json, "\"", 1);
}

void wl_json_write_number(wl_json_writer *json, double number)
{
    char text[32];
    /* The shortest that reads back: readers are not all exact with more digits than that. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    /* What is neither digit, sign nor exponent is the locale's decimal point, of one byte or more. */
    for (const char *at = text; *at;) {
        size_t digits = strspn(at, "0123456789+-e");
        write_bytes(json, at, digits);
        at += digits;
        size_t point = strcspn(at, "0123456789+-e");
        if (point) write_bytes(json, ".", 1);
        at += point;
    }
}
