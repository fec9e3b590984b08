/* Values of a configuration's fields: from text, cleared, freed. target is the struct that a field's offset is in. */
#ifndef WL_TRAIN_CONFIG_VALUE_H
#define WL_TRAIN_CONFIG_VALUE_H

#include "format/json.h"
#include "train/config.h"

/* The fields of the objects in the lists of data and losses. */
enum wl_data_place { WL_DATA_path, WL_DATA_weight, WL_DATA_targets, WL_DATA_FIELDS };
enum wl_loss_place {
    WL_LOSS_kind,
    WL_LOSS_weight,
    WL_LOSS_scale,
    WL_LOSS_temperature,
    WL_LOSS_learn_scale,
    WL_LOSS_dense,
    WL_LOSS_dims,
    WL_LOSS_FIELDS
};
extern const wl_train_field wl_train_data_fields[WL_DATA_FIELDS];
extern const wl_train_field wl_train_loss_fields[WL_LOSS_FIELDS];

/* A loss as it is written: the fields' offsets are in this. */
typedef struct wl_loss_values {
    wl_train_loss loss;
    double temperature; /* in place of the scale */
} wl_loss_values;

bool wl_field_is_list(wl_train_field_kind kind);
/* "a whole number from 1 to 8" */
void wl_field_expects(const wl_train_field *field, char *out, size_t size);
/* WL_ERROR_ARGUMENT: what the value is, and what is expected. */
wl_status wl_field_fail(const wl_train_field *field, wl_text value, wl_error *error);
/* NULL: none has that name; then *nearest is the one probably meant, or NULL. */
const wl_train_field *wl_field_find(const wl_train_field *fields, size_t count, wl_text name, const char **nearest);

/* What a member holds is freed, and it is zero or empty. */
void wl_field_clear(void *target, const wl_train_field *field);
/* The value as text, a list with commas. folder: what relative paths are relative to, with its slash; may be empty. On
 * failure a list may have got its first items. */
wl_status wl_field_store(void *target, const wl_train_field *field, wl_text value, wl_text folder, wl_error *error);
/* One more item of a list. */
wl_status wl_field_append(void *target, const wl_train_field *field, wl_text item, wl_text folder, wl_error *error);

/* The value that comes next in JSON, of any kind that the field takes. An error of the value is at its place. */
void wl_field_read(void *target, const wl_train_field *field, wl_text folder, wl_json *json);

/* Items with all at its default; the list owns what they hold. */
wl_status wl_data_append(wl_train_data_list *list, const wl_train_data *data, wl_error *error);
wl_status wl_losses_append(wl_train_losses *list, const wl_train_loss *loss, wl_error *error);
wl_train_loss wl_loss_start(void);

#endif
