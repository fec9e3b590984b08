#include "train/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "data/records.h"
#include "text/unicode/utf8.h"

enum { SHOWN = 60 /* bytes of a value that a message shows */ };

static const wl_text no_folder = {"", 0};

/* ---- fields ------------------------------------------------------------------------------------------------------ */

#define LOSS_KINDS                                                                                                     \
    "contrast|symmetric|cosent|angle|cosine|triplet|distill_cosine|distill_squared|distill_similarities|"              \
    "distill_distributions"

const wl_train_field wl_train_data_fields[WL_DATA_FIELDS] = {
    [WL_DATA_path] = {.name = "path", .kind = WL_FIELD_PATH, .offset = offsetof(wl_train_data, path)},
    [WL_DATA_weight] = {.name = "weight",
                        .kind = WL_FIELD_NUMBER,
                        .lowest = 1e-3,
                        .highest = 1000,
                        .offset = offsetof(wl_train_data, weight)},
    [WL_DATA_targets] = {.name = "targets", .kind = WL_FIELD_PATH, .offset = offsetof(wl_train_data, targets)},
};

const wl_train_field wl_train_loss_fields[WL_LOSS_FIELDS] = {
    [WL_LOSS_kind] = {.name = "kind",
                      .kind = WL_FIELD_CHOICE,
                      .value = LOSS_KINDS,
                      .offset = offsetof(wl_loss_values, loss.kind)},
    [WL_LOSS_weight] = {.name = "weight",
                        .kind = WL_FIELD_NUMBER,
                        .highest = 1e6,
                        .offset = offsetof(wl_loss_values, loss.weight)},
    [WL_LOSS_scale] = {.name = "scale",
                       .kind = WL_FIELD_NUMBER,
                       .lowest = 1e-3,
                       .highest = 1000,
                       .offset = offsetof(wl_loss_values, loss.scale)},
    [WL_LOSS_temperature] = {.name = "temperature",
                             .kind = WL_FIELD_NUMBER,
                             .lowest = 1e-3,
                             .highest = 1000,
                             .offset = offsetof(wl_loss_values, temperature)},
    [WL_LOSS_learn_scale] = {.name = "learn_scale",
                             .kind = WL_FIELD_SWITCH,
                             .offset = offsetof(wl_loss_values, loss.learn_scale)},
    [WL_LOSS_dense] = {.name = "dense", .kind = WL_FIELD_SWITCH, .offset = offsetof(wl_loss_values, loss.dense)},
    [WL_LOSS_dims] = {.name = "dims",
                      .kind = WL_FIELD_COUNTS,
                      .lowest = 1,
                      .highest = 65536,
                      .offset = offsetof(wl_loss_values, loss.dims)},
};

bool wl_field_is_list(wl_train_field_kind kind)
{
    return kind >= WL_FIELD_TEXTS;
}

void wl_field_expects(const wl_train_field *field, char *out, size_t size)
{
    switch (field->kind) {
    case WL_FIELD_TEXT:
        snprintf(out, size, "a string in UTF-8");
        break;
    case WL_FIELD_PATH:
        snprintf(out, size, "a path as a string in UTF-8");
        break;
    case WL_FIELD_COUNT:
        snprintf(out, size, "a whole number from %.0f to %.0f", field->lowest, field->highest);
        break;
    case WL_FIELD_NUMBER:
        snprintf(out, size, "a number from %.10g to %.10g", field->lowest, field->highest);
        break;
    case WL_FIELD_SWITCH:
        snprintf(out, size, "true or false");
        break;
    case WL_FIELD_CHOICE:
        snprintf(out, size, "%s", field->value);
        break;
    case WL_FIELD_TEXTS:
        snprintf(out, size, "a list of names");
        break;
    case WL_FIELD_PATHS:
        snprintf(out, size, "a list of paths");
        break;
    case WL_FIELD_COUNTS:
        snprintf(out, size, "a list of whole numbers from %.0f to %.0f", field->lowest, field->highest);
        break;
    case WL_FIELD_NUMBERS:
        snprintf(out, size, "a list of numbers from %.10g to %.10g", field->lowest, field->highest);
        break;
    case WL_FIELD_DATA:
        snprintf(out, size, "a list of PATH or PATH:WEIGHT, WEIGHT from %.10g to %.10g",
                 wl_train_data_fields[WL_DATA_weight].lowest, wl_train_data_fields[WL_DATA_weight].highest);
        break;
    case WL_FIELD_LOSSES:
        snprintf(out, size, "a list of KIND or KIND:WEIGHT, KIND of " LOSS_KINDS);
        break;
    }
}

wl_status wl_field_fail(const wl_train_field *field, wl_text value, wl_error *error)
{
    char expected[sizeof error->message];
    wl_field_expects(field, expected, sizeof expected);
    int shown = value.size < SHOWN ? (int)value.size : SHOWN;
    return wl_fail(error, WL_ERROR_ARGUMENT, "%s is '%.*s', expected %s", field->name, shown, value.data, expected);
}

const wl_train_field *wl_field_find(const wl_train_field *fields, size_t count, wl_text name, const char **nearest)
{
    size_t best = SIZE_MAX;
    *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        if (wl_text_is(name, fields[i].name)) return &fields[i];
        if (wl_is_nearer(name.data, name.size, fields[i].name, &best)) *nearest = fields[i].name;
    }
    return NULL;
}

/* ---- freeing ----------------------------------------------------------------------------------------------------- */

static void free_texts(wl_train_texts *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    *list = (wl_train_texts){0};
}

static void free_data(wl_train_data_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        free(list->items[i].targets);
    }
    free(list->items);
    *list = (wl_train_data_list){0};
}

static void free_losses(wl_train_losses *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->items[i].dims.items);
    free(list->items);
    *list = (wl_train_losses){0};
}

void wl_field_clear(void *target, const wl_train_field *field)
{
    void *member = (char *)target + field->offset;
    switch (field->kind) {
    case WL_FIELD_TEXT:
    case WL_FIELD_PATH:
        free(*(char **)member);
        *(char **)member = NULL;
        break;
    case WL_FIELD_COUNT:
        *(uint64_t *)member = 0;
        break;
    case WL_FIELD_NUMBER:
        *(double *)member = 0;
        break;
    case WL_FIELD_SWITCH:
        *(bool *)member = false;
        break;
    case WL_FIELD_CHOICE:
        *(uint32_t *)member = 0;
        break;
    case WL_FIELD_TEXTS:
    case WL_FIELD_PATHS:
        free_texts(member);
        break;
    case WL_FIELD_COUNTS:
        free(((wl_train_counts *)member)->items);
        *(wl_train_counts *)member = (wl_train_counts){0};
        break;
    case WL_FIELD_NUMBERS:
        free(((wl_train_numbers *)member)->items);
        *(wl_train_numbers *)member = (wl_train_numbers){0};
        break;
    case WL_FIELD_DATA:
        free_data(member);
        break;
    case WL_FIELD_LOSSES:
        free_losses(member);
        break;
    }
}

/* ---- single values ----------------------------------------------------------------------------------------------- */

static bool is_text(wl_text value)
{
    return !value.size || (!memchr(value.data, 0, value.size) && wl_utf8_valid(value.data, value.size) == value.size);
}

/* folder/value, owned by the caller; NULL: out of memory. */
static char *copy_path(wl_text value, wl_text folder, wl_error *error)
{
    if (value.data[0] == '/') folder = no_folder;
    char *path = wl_allocate(folder.size + value.size + 1, 1, error);
    if (!path) return NULL;
    if (folder.size) memcpy(path, folder.data, folder.size);
    memcpy(path + folder.size, value.data, value.size);
    return path;
}

static wl_status store_text(char **member, const wl_train_field *field, wl_text value, wl_text folder, wl_error *error)
{
    if (!is_text(value)) return wl_field_fail(field, value, error);
    char *copy = value.size ? copy_path(value, folder, error) : NULL;
    if (value.size && !copy) return WL_ERROR_MEMORY;
    free(*member);
    *member = copy;
    return WL_OK;
}

static bool read_count(const wl_train_field *field, wl_text value, uint64_t *out)
{
    uint64_t number = 0;
    if (!value.size) return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') return false;
        number = number * 10 + (uint64_t)(value.data[i] - '0');
        if ((double)number > field->highest) return false;
    }
    if ((double)number < field->lowest) return false;
    *out = number;
    return true;
}

static bool read_number(const wl_train_field *field, wl_text value, double *out)
{
    double number;
    if (!wl_parse_number(value, &number) || number < field->lowest || number > field->highest) return false;
    *out = number;
    return true;
}

static bool read_choice(const char *words, wl_text value, uint32_t *out)
{
    uint32_t index = 0;
    for (const char *word = words;; index++) {
        size_t size = strcspn(word, "|");
        if (size == value.size && memcmp(word, value.data, size) == 0) return *out = index, true;
        if (!word[size]) return false;
        word += size + 1;
    }
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static wl_status append_text(wl_train_texts *list, wl_text item, wl_text folder, wl_error *error)
{
    void *items = list->items;
    wl_status status = wl_reserve(&items, &list->capacity, list->count + 1, sizeof *list->items, error);
    list->items = items;
    char *copy = status ? NULL : copy_path(item, folder, error);
    if (!copy) return WL_ERROR_MEMORY;
    list->items[list->count++] = copy;
    return WL_OK;
}

static wl_status append_count(wl_train_counts *list, uint64_t item, wl_error *error)
{
    void *items = list->items;
    wl_status status = wl_reserve(&items, &list->capacity, list->count + 1, sizeof *list->items, error);
    list->items = items;
    if (!status) list->items[list->count++] = (uint32_t)item;
    return status;
}

static wl_status append_number(wl_train_numbers *list, double item, wl_error *error)
{
    void *items = list->items;
    wl_status status = wl_reserve(&items, &list->capacity, list->count + 1, sizeof *list->items, error);
    list->items = items;
    if (!status) list->items[list->count++] = item;
    return status;
}

wl_status wl_data_append(wl_train_data_list *list, const wl_train_data *data, wl_error *error)
{
    void *items = list->items;
    wl_status status = wl_reserve(&items, &list->capacity, list->count + 1, sizeof *list->items, error);
    list->items = items;
    if (!status) list->items[list->count++] = *data;
    return status;
}

wl_status wl_losses_append(wl_train_losses *list, const wl_train_loss *loss, wl_error *error)
{
    void *items = list->items;
    wl_status status = wl_reserve(&items, &list->capacity, list->count + 1, sizeof *list->items, error);
    list->items = items;
    if (!status) list->items[list->count++] = *loss;
    return status;
}

wl_train_loss wl_loss_start(void)
{
    return (wl_train_loss){.weight = 1, .scale = 20};
}

/* What stands in front of the last colon, and the number behind it; false, with all of it in front: there is none. */
static bool split_weight(wl_text item, wl_text *front, double *weight)
{
    *front = item;
    size_t colon = item.size;
    while (colon && item.data[colon - 1] != ':') colon--;
    if (!colon || !wl_parse_number((wl_text){item.data + colon, item.size - colon}, weight)) return false;
    front->size = colon - 1;
    return true;
}

static bool is_in_range(const wl_train_field *field, double number)
{
    return number >= field->lowest && number <= field->highest;
}

static wl_status append_data(wl_train_data_list *list, const wl_train_field *field, wl_text item, wl_text folder,
                             wl_error *error)
{
    wl_train_data data = {.weight = 1};
    wl_text path;
    split_weight(item, &path, &data.weight);
    if (!path.size || !is_in_range(&wl_train_data_fields[WL_DATA_weight], data.weight))
        return wl_field_fail(field, item, error);
    data.path = copy_path(path, folder, error);
    wl_status status = data.path ? wl_data_append(list, &data, error) : WL_ERROR_MEMORY;
    if (status) free(data.path);
    return status;
}

static wl_status append_loss(wl_train_losses *list, const wl_train_field *field, wl_text item, wl_error *error)
{
    wl_train_loss loss = wl_loss_start();
    wl_text kind;
    split_weight(item, &kind, &loss.weight);
    if (!read_choice(LOSS_KINDS, kind, &loss.kind) || !is_in_range(&wl_train_loss_fields[WL_LOSS_weight], loss.weight))
        return wl_field_fail(field, item, error);
    return wl_losses_append(list, &loss, error);
}

wl_status wl_field_append(void *target, const wl_train_field *field, wl_text item, wl_text folder, wl_error *error)
{
    void *member = (char *)target + field->offset;
    uint64_t count;
    double number;
    if (!item.size || !is_text(item)) return wl_field_fail(field, item, error);
    switch (field->kind) {
    case WL_FIELD_TEXTS:
        return append_text(member, item, no_folder, error);
    case WL_FIELD_PATHS:
        return append_text(member, item, folder, error);
    case WL_FIELD_COUNTS:
        return read_count(field, item, &count) ? append_count(member, count, error) : wl_field_fail(field, item, error);
    case WL_FIELD_NUMBERS:
        return read_number(field, item, &number) ? append_number(member, number, error)
                                                 : wl_field_fail(field, item, error);
    case WL_FIELD_DATA:
        return append_data(member, field, item, folder, error);
    case WL_FIELD_LOSSES:
        return append_loss(member, field, item, error);
    default:
        return wl_field_fail(field, item, error);
    }
}

static wl_text trimmed(wl_text text)
{
    while (text.size && text.data[0] == ' ') text.data++, text.size--;
    while (text.size && text.data[text.size - 1] == ' ') text.size--;
    return text;
}

static wl_status store_list(void *target, const wl_train_field *field, wl_text value, wl_text folder, wl_error *error)
{
    wl_field_clear(target, field);
    if (!value.size) return WL_OK;
    for (size_t begin = 0; begin <= value.size;) {
        const char *comma = memchr(value.data + begin, ',', value.size - begin);
        size_t end = comma ? (size_t)(comma - value.data) : value.size;
        wl_text item = trimmed((wl_text){value.data + begin, end - begin});
        if (wl_field_append(target, field, item, folder, error)) return error->code;
        begin = end + 1;
    }
    return WL_OK;
}

/* ---- any value --------------------------------------------------------------------------------------------------- */

wl_status wl_field_store(void *target, const wl_train_field *field, wl_text value, wl_text folder, wl_error *error)
{
    void *member = (char *)target + field->offset;
    bool fits = true;
    switch (field->kind) {
    case WL_FIELD_TEXT:
        return store_text(member, field, value, no_folder, error);
    case WL_FIELD_PATH:
        return store_text(member, field, value, folder, error);
    case WL_FIELD_COUNT:
        fits = read_count(field, value, member);
        break;
    case WL_FIELD_NUMBER:
        fits = read_number(field, value, member);
        break;
    case WL_FIELD_SWITCH:
        fits = wl_text_is(value, "true") || wl_text_is(value, "false");
        if (fits) *(bool *)member = wl_text_is(value, "true");
        break;
    case WL_FIELD_CHOICE:
        fits = read_choice(field->value, value, member);
        break;
    default:
        return store_list(target, field, value, folder, error);
    }
    return fits ? WL_OK : wl_field_fail(field, value, error);
}
