/* Records of a file, one after the other, with their fields by name: JSON lines, CSV, TSV or plain lines, gzip or not,
 * and rows of Parquet, which come as objects of JSON, in a build with Arrow.
 * What kind a file is its name tells: .jsonl, .ndjson or .json; .csv; .tsv or .tab; .txt; each with .gz behind it or
 * not; Parquet its first bytes. Any other name is JSON lines where the first byte is '{'.
 *
 * JSON lines: each line is an object; null members count as missing. CSV: RFC 4180, with a header. TSV: with a header;
 * a line is a record, and a quote is a character like any other, but for fields as other programs pack them: where
 * every name in the header stands in quotes, or where a field in quotes holds quotes and each of them twice. Lines:
 * each is a record whose one field is called "text". Empty lines are passed over everywhere. Ill-formed UTF-8 becomes
 * U+FFFD. Memory: the longest record. */
#ifndef WL_DATA_RECORDS_H
#define WL_DATA_RECORDS_H

#include "data/bytes.h"
#include "data/columns.h"
#include "format/json.h"

typedef struct wl_field {
    wl_text name;
    wl_text text;      /* a string decoded; else the value as it stands in the file */
    wl_json_kind kind; /* CSV, TSV and lines have strings alone; never WL_JSON_NULL */
} wl_field;

typedef enum wl_records_form { WL_RECORDS_JSON, WL_RECORDS_CSV, WL_RECORDS_TSV, WL_RECORDS_LINES } wl_records_form;

typedef struct wl_records {
    wl_bytes bytes;
    wl_columns columns; /* of Parquet, in place of bytes */
    char *path;         /* owned */
    wl_records_form form;
    uint64_t record;   /* records given so far */
    uint64_t line;     /* where the last record begins, from 1 */
    uint64_t lines;    /* read so far */
    uint64_t replaced; /* ill-formed subparts of UTF-8 so far */
    wl_field *fields;  /* of the last record, of equal names the last one alone; valid until the next call */
    size_t field_count, field_capacity;
    wl_field **sorted; /* the fields by name */
    size_t sorted_capacity;
    wl_text *header; /* CSV, TSV: the names in the header, which lie in names */
    size_t header_count, header_capacity;
    bool all_quoted;                                  /* TSV: so do all names in the header stand */
    wl_buffer block, names, texts, scratch, repaired; /* bytes read; of columns; decoded strings of the last record */
    size_t begin;                                     /* block: what lies before was given */
    bool ended;                                       /* block: nothing comes behind it */
} wl_records;

/* WL_ERROR_UNSUPPORTED: Parquet, in a build without Arrow. Free with wl_records_close, also after a failure. */
wl_status wl_records_open(wl_records *records, const char *path, wl_error *error);
/* 1: there is a record, 0: the end, -1: a failure, with file and line of the record. */
int wl_records_next(wl_records *records, wl_error *error);
void wl_records_close(wl_records *records);

/* What a file's name tells: the form of its records, and the length of the name without the ending. false: nothing. */
bool wl_records_named(const char *name, wl_records_form *form, size_t *stem);

/* The first of the names, which end with NULL, that the record has a field of; NULL: none. */
const wl_field *wl_records_find(const wl_records *records, const char *const *names);
/* The same, a string or a number as text; a record without it, or with another kind, is WL_ERROR_FORMAT with file and
 * line. Valid until the next record. */
wl_status wl_records_text(const wl_records *records, const char *const *names, wl_text *text, wl_error *error);
/* The same, or true or false. */
wl_status wl_records_label(const wl_records *records, const char *const *names, wl_text *label, wl_error *error);
/* A finite number, also one in a string. */
wl_status wl_records_number(const wl_records *records, const char *const *names, double *number, wl_error *error);
/* A finite number: decimal digits, with or without a sign, a point and an exponent, whatever the locale; false:
 * anything else, or more than 400 bytes. */
bool wl_parse_number(wl_text text, double *number);
/* WL_ERROR_FORMAT at the record. */
wl_status wl_records_fail(const wl_records *records, wl_error *error, const char *format, ...) WL_PRINTF(3, 4);

#endif
