/* Configurations in JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/nearest.h"
#include "train/config_value.h"

enum { MOST_FILES = 16, MOST_BYTES = 1 << 20, SHOWN = 60 };

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Fails at a place where the cursor was. */
static void fail_at(wl_json *json, wl_json place, wl_status code, const char *message)
{
    wl_json_fail(&place, code, "%s", message);
    *json = place;
}

/* An error that storing a value left, at the value's place. */
static void fail_stored(wl_json *json, wl_json place)
{
    if (json->error->code == WL_ERROR_MEMORY)
        json->failed = true;
    else
        fail_at(json, place, WL_ERROR_FORMAT, json->error->message);
}

/* The value, which is skipped, is of a kind that the field does not take. */
static void fail_kind(wl_json *json, const wl_train_field *field)
{
    wl_json place = *json;
    wl_json_skip(json);
    if (json->failed) return;
    wl_field_fail(field, (wl_text){json->text + place.at, json->at - place.at}, json->error);
    fail_at(json, place, WL_ERROR_FORMAT, json->error->message);
}

static bool takes(wl_train_field_kind field, wl_json_kind kind)
{
    switch (field) {
    case WL_FIELD_COUNT:
    case WL_FIELD_NUMBER:
        return kind == WL_JSON_NUMBER;
    case WL_FIELD_SWITCH:
        return kind == WL_JSON_BOOLEAN;
    case WL_FIELD_TEXT:
    case WL_FIELD_PATH:
        return kind == WL_JSON_STRING || kind == WL_JSON_NULL;
    default:
        return kind == WL_JSON_STRING;
    }
}

/* A string, a number, true, false or null as text. */
static wl_text read_scalar(wl_json *json, wl_json_kind kind)
{
    switch (kind) {
    case WL_JSON_STRING:
        return wl_json_string(json);
    case WL_JSON_NUMBER:
        return wl_json_number(json);
    case WL_JSON_BOOLEAN:
        return wl_json_boolean(json) ? (wl_text){"true", 4} : (wl_text){"false", 5};
    default:
        wl_json_null(json);
        return (wl_text){"", 0};
    }
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

static void fail_unknown(wl_json *json, wl_text key, const char *nearest)
{
    int shown = key.size < SHOWN ? (int)key.size : SHOWN;
    if (nearest)
        wl_json_fail(json, WL_ERROR_FORMAT, "unknown key \"%.*s\" (did you mean \"%s\"?)", shown, key.data, nearest);
    else
        wl_json_fail(json, WL_ERROR_FORMAT, "unknown key \"%.*s\"", shown, key.data);
}

/* The members of an object. extends: its key is passed over. Returns the set of bits of the fields that it has. */
static uint64_t read_members(void *target, const wl_train_field *fields, size_t count, bool extends, wl_text folder,
                             wl_json *json)
{
    uint64_t seen = 0;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        const char *nearest;
        const wl_train_field *field = wl_field_find(fields, count, key, &nearest);
        if (!field && extends && wl_text_is(key, "extends")) {
            wl_json_skip(json);
            continue;
        }
        wl_json_peek(json); /* to the value */
        if (!field) {
            size_t best = SIZE_MAX;
            if (extends && !nearest && wl_is_nearer(key.data, key.size, "extends", &best)) nearest = "extends";
            fail_unknown(json, key, nearest);
            break;
        }
        uint64_t bit = UINT64_C(1) << (field - fields);
        if (seen & bit) wl_json_fail(json, WL_ERROR_FORMAT, "the key \"%s\" is there twice", field->name);
        seen |= bit;
        wl_field_read(target, field, folder, json);
    }
    return seen;
}

static void append_data(wl_train_data_list *list, wl_text folder, wl_json *json)
{
    wl_json place = *json;
    wl_train_data data = {.weight = 1};
    read_members(&data, wl_train_data_fields, WL_DATA_FIELDS, false, folder, json);
    if (!json->failed && !data.path) fail_at(json, place, WL_ERROR_FORMAT, "the key \"path\" is missing");
    if (!json->failed && wl_data_append(list, &data, json->error)) json->failed = true;
    if (!json->failed) return;
    for (size_t i = 0; i < WL_DATA_FIELDS; i++) wl_field_clear(&data, &wl_train_data_fields[i]);
}

/* NULL: the keys go together. */
static const char *wrong_keys(uint64_t seen, uint32_t kind)
{
    bool scale = seen >> WL_LOSS_scale & 1, temperature = seen >> WL_LOSS_temperature & 1;
    if (!(seen >> WL_LOSS_kind & 1)) return "the key \"kind\" is missing";
    if (scale && temperature) return "scale and temperature are the same: one may be given";
    if ((scale || temperature) && !wl_train_loss_table[kind].scaled) return "a loss of this kind has no scale";
    return NULL;
}

static void append_loss(wl_train_losses *list, wl_text folder, wl_json *json)
{
    wl_json place = *json;
    wl_loss_values values = {.loss = wl_loss_start()};
    uint64_t seen = read_members(&values, wl_train_loss_fields, WL_LOSS_FIELDS, false, folder, json);
    const char *wrong = wrong_keys(seen, values.loss.kind);
    if (!json->failed && wrong) fail_at(json, place, WL_ERROR_FORMAT, wrong);
    if (values.temperature > 0) values.loss.scale = 1 / values.temperature;
    if (!json->failed && wl_losses_append(list, &values.loss, json->error)) json->failed = true;
    if (json->failed) wl_field_clear(&values, &wl_train_loss_fields[WL_LOSS_dims]);
}

/* ---- any value --------------------------------------------------------------------------------------------------- */

static void read_list(void *target, const wl_train_field *field, wl_text folder, wl_json *json)
{
    bool numbers = field->kind == WL_FIELD_COUNTS || field->kind == WL_FIELD_NUMBERS;
    void *member = (char *)target + field->offset;
    wl_field_clear(target, field);
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        wl_json_kind kind = wl_json_peek(json);
        wl_json place = *json;
        if (kind == WL_JSON_OBJECT && field->kind == WL_FIELD_DATA)
            append_data(member, folder, json);
        else if (kind == WL_JSON_OBJECT && field->kind == WL_FIELD_LOSSES)
            append_loss(member, folder, json);
        else if (kind != (numbers ? WL_JSON_NUMBER : WL_JSON_STRING))
            fail_kind(json, field);
        else {
            wl_text item = read_scalar(json, kind);
            if (!json->failed && wl_field_append(target, field, item, folder, json->error)) fail_stored(json, place);
        }
    }
}

void wl_field_read(void *target, const wl_train_field *field, wl_text folder, wl_json *json)
{
    wl_json_kind kind = wl_json_peek(json);
    wl_json place = *json;
    if (json->failed) return;
    if (kind == WL_JSON_ARRAY && wl_field_is_list(field->kind)) {
        read_list(target, field, folder, json);
    } else if (!takes(field->kind, kind)) {
        fail_kind(json, field);
    } else {
        wl_text value = read_scalar(json, kind);
        if (!json->failed && wl_field_store(target, field, value, folder, json->error)) fail_stored(json, place);
    }
}

/* ---- comments ---------------------------------------------------------------------------------------------------- */

static size_t string_end(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"' && text[at] != '\n'; at++)
        if (text[at] == '\\') at++;
    return at < size ? at + 1 : size;
}

/* The end of the comment that begins at a position, or at where there is none; SIZE_MAX: it has no end. */
static size_t comment_end(const char *text, size_t size, size_t at)
{
    if (at + 1 >= size || text[at] != '/' || (text[at + 1] != '/' && text[at + 1] != '*')) return at;
    bool line = text[at + 1] == '/';
    for (size_t i = at + 2; i < size; i++) {
        if (line && text[i] == '\n') return i;
        if (!line && text[i] == '/' && text[i - 1] == '*' && i > at + 2) return i + 1;
    }
    return line ? size : SIZE_MAX;
}

static uint64_t line_of(const char *text, size_t at)
{
    uint64_t line = 1;
    for (size_t i = 0; i < at; i++) line += text[i] == '\n';
    return line;
}

static void blank(char *text, size_t begin, size_t end)
{
    for (; begin < end; begin++)
        if (text[begin] != '\n') text[begin] = ' ';
}

/* Comments, and commas behind a last element, become spaces: what stays has its byte and line. */
static wl_status strip(char *text, size_t size, const char *name, wl_error *error)
{
    size_t comma = 0, end; /* comma: where one is the last byte that is no space, behind a value; 0: it is not */
    char last = '{';
    for (size_t at = 0; at < size; at = end) {
        end = comment_end(text, size, at);
        if (end == SIZE_MAX)
            return wl_fail_at(error, WL_ERROR_FORMAT, name, at, line_of(text, at), "the comment has no end");
        blank(text, at, end);
        if (end > at) continue;
        char byte = text[at];
        end = byte == '"' ? string_end(text, size, at) : at + 1;
        if (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t') continue;
        if (comma && (byte == '}' || byte == ']')) text[comma] = ' ';
        comma = byte == ',' && !strchr("{[,:", last) ? at : 0;
        last = byte;
    }
    return WL_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The files that lead to one, which is the last. */
typedef struct chain {
    const char *path;
    const struct chain *before;
    size_t length;
} chain;

static wl_status read_file(wl_train_config *config, const char *path, const chain *before, wl_error *error);

static wl_text folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return (wl_text){path, slash ? (size_t)(slash + 1 - path) : 0};
}

/* The path that the member "extends" names, owned by the caller; NULL: there is none. */
static wl_status find_extends(wl_json json, wl_text folder, char **path)
{
    static const wl_train_field field = {.name = "extends", .kind = WL_FIELD_PATH};
    wl_text key;
    *path = NULL;
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (!wl_text_is(key, "extends")) {
            wl_json_skip(&json);
            continue;
        }
        if (*path) wl_json_fail(&json, WL_ERROR_FORMAT, "the key \"extends\" is there twice");
        wl_field_read(path, &field, folder, &json);
    }
    return json.failed ? json.error->code : WL_OK;
}

static wl_status read_text(wl_train_config *config, const char *text, size_t size, const char *name, const chain *last,
                           wl_error *error)
{
    char *copy = wl_copy_text(text, size, error);
    wl_buffer scratch = {0};
    wl_json json;
    char *base = NULL;
    wl_text folder = last ? folder_of(last->path) : (wl_text){"", 0};
    wl_status status = copy ? strip(copy, size, name, error) : WL_ERROR_MEMORY;
    wl_json_open(&json, copy, status ? 0 : size, name, &scratch, error);
    if (!status && last) status = find_extends(json, folder, &base);
    if (base) status = status ? status : read_file(config, base, last, error);
    if (!status) {
        read_members(config, wl_train_fields, WL_TRAIN_FIELDS, last, folder, &json);
        status = wl_json_close(&json);
    }
    wl_buffer_free(&scratch);
    free(base);
    free(copy);
    return status;
}

static wl_status check_chain(const char *path, const chain *before, wl_error *error)
{
    if (before && before->length >= MOST_FILES)
        return wl_fail_at(error, WL_ERROR_LIMIT, path, WL_NO_POSITION, 0, "is extended through more than %d files",
                          MOST_FILES);
    for (const chain *link = before; link; link = link->before)
        if (wl_same_file(link->path, path))
            return wl_fail_at(error, WL_ERROR_FORMAT, before->path, WL_NO_POSITION, 0,
                              "extends %.200s, which extends this one", path);
    return WL_OK;
}

static wl_status read_file(wl_train_config *config, const char *path, const chain *before, wl_error *error)
{
    const chain last = {path, before, before ? before->length + 1 : 1};
    wl_mapping mapping;
    if (check_chain(path, before, error) || wl_mapping_open(&mapping, path, error)) return error->code;
    wl_status status = mapping.size <= MOST_BYTES
                           ? read_text(config, mapping.data, mapping.size, path, &last, error)
                           : wl_fail_at(error, WL_ERROR_LIMIT, path, WL_NO_POSITION, 0,
                                        "has %zu bytes, expected at most %d", mapping.size, MOST_BYTES);
    wl_mapping_close(&mapping);
    return status;
}

wl_status wl_train_config_read(wl_train_config *config, const char *path, wl_error *error)
{
    return read_file(config, path, NULL, error);
}

wl_status wl_train_config_parse(wl_train_config *config, const char *text, size_t size, const char *name,
                                wl_error *error)
{
    return read_text(config, text, size, name, NULL, error);
}
