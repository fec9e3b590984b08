/* Configurations as JSON. */
#include <inttypes.h>
#include <string.h>

#include "format/json_write.h"
#include "train/config_value.h"

static void write_text(wl_json_writer *json, const char *text)
{
    if (text)
        wl_json_write_string(json, (wl_text){text, strlen(text)});
    else
        wl_json_write(json, "null");
}

static void write_choice(wl_json_writer *json, const char *words, uint32_t choice)
{
    for (; choice; choice--) words += strcspn(words, "|") + 1;
    wl_json_write(json, "\"%.*s\"", (int)strcspn(words, "|"), words);
}

static void write_value(wl_json_writer *json, const void *target, const wl_train_field *field);

static void write_data(wl_json_writer *json, const wl_train_data *data)
{
    for (size_t i = 0; i < WL_DATA_FIELDS; i++) {
        wl_json_write(json, "%s\"%s\": ", i ? ", " : "{", wl_train_data_fields[i].name);
        write_value(json, data, &wl_train_data_fields[i]);
    }
    wl_json_write(json, "}");
}

/* Without the temperature, which is the scale, and without a scale where there is none. */
static void write_loss(wl_json_writer *json, const wl_train_loss *loss)
{
    const wl_loss_values values = {.loss = *loss};
    for (size_t i = 0; i < WL_LOSS_FIELDS; i++) {
        bool scale = i == WL_LOSS_scale && !wl_train_loss_table[loss->kind].scaled;
        if (scale || i == WL_LOSS_temperature) continue;
        wl_json_write(json, "%s\"%s\": ", i ? ", " : "{", wl_train_loss_fields[i].name);
        write_value(json, &values, &wl_train_loss_fields[i]);
    }
    wl_json_write(json, "}");
}

static void write_list(wl_json_writer *json, const void *member, wl_train_field_kind kind)
{
    /* All lists begin alike; only that of the kind is looked at. */
    const wl_train_texts *texts = member;
    const wl_train_counts *counts = member;
    const wl_train_numbers *numbers = member;
    const wl_train_data_list *data = member;
    const wl_train_losses *losses = member;
    size_t count = kind == WL_FIELD_COUNTS    ? counts->count
                   : kind == WL_FIELD_NUMBERS ? numbers->count
                   : kind == WL_FIELD_DATA    ? data->count
                   : kind == WL_FIELD_LOSSES  ? losses->count
                                              : texts->count;
    wl_json_write(json, "[");
    for (size_t i = 0; i < count; i++) {
        if (i) wl_json_write(json, ", ");
        if (kind == WL_FIELD_COUNTS)
            wl_json_write(json, "%" PRIu32, counts->items[i]);
        else if (kind == WL_FIELD_NUMBERS)
            wl_json_write_number(json, numbers->items[i]);
        else if (kind == WL_FIELD_DATA)
            write_data(json, &data->items[i]);
        else if (kind == WL_FIELD_LOSSES)
            write_loss(json, &losses->items[i]);
        else
            write_text(json, texts->items[i]);
    }
    wl_json_write(json, "]");
}

static void write_value(wl_json_writer *json, const void *target, const wl_train_field *field)
{
    const void *member = (const char *)target + field->offset;
    switch (field->kind) {
    case WL_FIELD_TEXT:
    case WL_FIELD_PATH:
        write_text(json, *(char *const *)member);
        break;
    case WL_FIELD_COUNT:
        wl_json_write(json, "%" PRIu64, *(const uint64_t *)member);
        break;
    case WL_FIELD_NUMBER:
        wl_json_write_number(json, *(const double *)member);
        break;
    case WL_FIELD_SWITCH:
        wl_json_write(json, *(const bool *)member ? "true" : "false");
        break;
    case WL_FIELD_CHOICE:
        write_choice(json, field->value, *(const uint32_t *)member);
        break;
    default:
        write_list(json, member, field->kind);
        break;
    }
}

wl_status wl_train_config_write(const wl_train_config *config, wl_buffer *out, wl_error *error)
{
    wl_json_writer json = {out, error, WL_OK};
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++) {
        wl_json_write(&json, "%s\n    \"%s\": ", i ? "," : "{", wl_train_fields[i].name);
        write_value(&json, config, &wl_train_fields[i]);
    }
    wl_json_write(&json, "\n}\n");
    return json.status;
}
