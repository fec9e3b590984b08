#include "train/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/binarizer.h"
#include "train/config_value.h"
#include "train/projector.h"

const wl_train_field wl_train_fields[WL_TRAIN_FIELDS] = {
#define FIELD(kind, name, flag, start, lowest, highest, value, help)                                                   \
    {#name, flag, WL_FIELD_##kind, start, lowest, highest, value, help, offsetof(wl_train_config, name)},
#include "train/config_fields.def"
#undef FIELD
};

const wl_train_loss_traits wl_train_loss_table[WL_LOSS_KINDS] = {
    [WL_LOSS_CONTRAST] = {"contrast", 2, false, false, true, true},
    [WL_LOSS_SYMMETRIC] = {"symmetric", 2, false, false, true, true},
    [WL_LOSS_COSENT] = {"cosent", 2, true, false, true, false},
    [WL_LOSS_ANGLE] = {"angle", 2, true, false, true, false},
    [WL_LOSS_COSINE] = {"cosine", 2, true, false, false, false},
    [WL_LOSS_TRIPLET] = {"triplet", 3, false, false, true, false},
    [WL_LOSS_DISTILL_COSINE] = {"distill_cosine", 1, false, true, false, false},
    [WL_LOSS_DISTILL_SQUARED] = {"distill_squared", 1, false, true, false, false},
    [WL_LOSS_DISTILL_SIMILARITIES] = {"distill_similarities", 1, false, true, false, false},
    [WL_LOSS_DISTILL_DISTRIBUTIONS] = {"distill_distributions", 1, false, true, true, false},
};

static wl_text text_of(const char *text)
{
    return (wl_text){text, strlen(text)};
}

wl_status wl_train_config_default(wl_train_config *config, wl_error *error)
{
    *config = (wl_train_config){0};
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++)
        if (wl_field_store(config, &wl_train_fields[i], text_of(wl_train_fields[i].start), text_of(""), error))
            return error->code;
    return WL_OK;
}

void wl_train_config_free(wl_train_config *config)
{
    for (size_t i = 0; i < WL_TRAIN_FIELDS; i++) wl_field_clear(config, &wl_train_fields[i]);
}

/* ---- one field --------------------------------------------------------------------------------------------------- */

static wl_status set_json(wl_train_config *config, const wl_train_field *field, wl_text value, wl_error *error)
{
    wl_buffer scratch = {0};
    wl_json json;
    wl_json_open(&json, value.data, value.size, NULL, &scratch, error);
    wl_field_read(config, field, text_of(""), &json);
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    if (status != WL_ERROR_FORMAT) return status;
    char message[sizeof error->message];
    memcpy(message, error->message, sizeof message);
    return wl_fail(error, WL_ERROR_ARGUMENT, "%s: %.400s", field->name, message);
}

wl_status wl_train_config_set(wl_train_config *config, const char *name, const char *value, wl_error *error)
{
    const char *nearest;
    const wl_train_field *field = wl_field_find(wl_train_fields, WL_TRAIN_FIELDS, text_of(name), &nearest);
    if (!field && nearest)
        return wl_fail(error, WL_ERROR_ARGUMENT, "unknown field '%s' (did you mean '%s'?)", name, nearest);
    if (!field) return wl_fail(error, WL_ERROR_ARGUMENT, "unknown field '%s'", name);
    if (wl_field_is_list(field->kind) && *value == '[') return set_json(config, field, text_of(value), error);
    return wl_field_store(config, field, text_of(value), text_of(""), error);
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

static wl_status fail_missing(enum wl_train_field_place place, wl_error *error)
{
    const wl_train_field *field = &wl_train_fields[place];
    return wl_fail(error, WL_ERROR_ARGUMENT, "%s is missing: %s", field->name, field->help);
}

static wl_status check_once(const char *name, const wl_train_counts *dims, wl_error *error)
{
    for (size_t i = 0; i < dims->count; i++)
        for (size_t j = 0; j < i; j++)
            if (dims->items[i] == dims->items[j])
                return wl_fail(error, WL_ERROR_ARGUMENT, "%s has %u twice", name, (unsigned)dims->items[i]);
    return WL_OK;
}

static bool has_targets(const wl_train_config *config)
{
    for (size_t i = 0; i < config->data.count; i++)
        if (config->data.items[i].targets) return true;
    return false;
}

static wl_status check_losses(const wl_train_config *config, wl_error *error)
{
    double sum = 0;
    for (size_t i = 0; i < config->losses.count; i++) {
        const wl_train_loss *loss = &config->losses.items[i];
        const wl_train_loss_traits *traits = &wl_train_loss_table[loss->kind];
        sum += loss->weight;
        if (loss->learn_scale && !traits->learned)
            return wl_fail(error, WL_ERROR_ARGUMENT, "losses: the scale of %s cannot be learned", traits->name);
        if (loss->dense && config->binarizer == WL_BINARIZE_NONE)
            return wl_fail(error, WL_ERROR_ARGUMENT, "losses: %s is dense, which has a meaning with a binarizer only",
                           traits->name);
        if (traits->targets && !has_targets(config))
            return wl_fail(error, WL_ERROR_ARGUMENT, "losses has %s, but no data has targets", traits->name);
        if (check_once("dims of a loss", &loss->dims, error)) return error->code;
    }
    if (!(sum > 0)) return wl_fail(error, WL_ERROR_ARGUMENT, "losses has none of a weight above 0");
    if (config->mask_by_teacher && !has_targets(config))
        return wl_fail(error, WL_ERROR_ARGUMENT, "mask_by_teacher is true, but no data has targets");
    return WL_OK;
}

static wl_status check_name(const char *name, wl_error *error)
{
    static const char *const taken[] = {"README.md", "log.jsonl", "best.safetensors", "checkpoint.safetensors",
                                        "tokenizer.json"};
    for (size_t i = 0; name && i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return wl_fail(error, WL_ERROR_ARGUMENT, "name is '%s', which another file of the output is called", name);
    if (!name || strchr(name, '/') || *name == '.')
        return wl_fail(error, WL_ERROR_ARGUMENT, "name is '%.60s', expected what a file's name can begin with",
                       name ? name : "");
    return WL_OK;
}

wl_status wl_train_config_check(const wl_train_config *config, wl_error *error)
{
    if (!config->output) return fail_missing(WL_TRAIN_output, error);
    if (!config->codebook) return fail_missing(WL_TRAIN_codebook, error);
    if (!config->data.count) return fail_missing(WL_TRAIN_data, error);
    if (check_name(config->name, error) || check_once("matryoshka", &config->matryoshka, error) ||
        check_losses(config, error))
        return error->code;
    if (config->matryoshka_weights.count && config->matryoshka_weights.count != config->matryoshka.count)
        return wl_fail(error, WL_ERROR_ARGUMENT, "matryoshka_weights has %zu numbers, expected %zu as matryoshka has",
                       config->matryoshka_weights.count, config->matryoshka.count);
    if (!config->epochs && !config->steps)
        return wl_fail(error, WL_ERROR_ARGUMENT, "epochs and steps are both 0: there is nothing to do");
    if (config->norm_power != 0 && config->kind != WL_PROJECT_TABLE)
        return wl_fail(error, WL_ERROR_ARGUMENT, "norm_power is %g, and only kind table has rows of its own",
                       config->norm_power);
    if (config->mix && (config->kind != WL_PROJECT_TABLE || config->binarizer != WL_BINARIZE_NONE))
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "mix is %llu, and only kind table without a binarizer has dimensions that may be mixed",
                       (unsigned long long)config->mix);
    if (config->warm_up >= 1 && config->warm_up != floor(config->warm_up))
        return wl_fail(error, WL_ERROR_ARGUMENT, "warm_up is %.10g, expected whole steps, or a share below 1",
                       config->warm_up);
    if (config->drop_longer && config->drop_longer < config->drop_shorter)
        return wl_fail(error, WL_ERROR_ARGUMENT, "drop_longer is %u, below drop_shorter, which is %u: nothing is left",
                       (unsigned)config->drop_longer, (unsigned)config->drop_shorter);
    return WL_OK;
}

/* ---- finishing --------------------------------------------------------------------------------------------------- */

static wl_status check_dims(const char *name, const wl_train_counts *dims, uint64_t most, wl_error *error)
{
    for (size_t i = 0; i < dims->count; i++)
        if (dims->items[i] > most)
            return wl_fail(error, WL_ERROR_ARGUMENT, "%s has %u, but the vectors have %u dimensions", name,
                           (unsigned)dims->items[i], (unsigned)most);
    return WL_OK;
}

/* dim, and those of the usual ones below it. */
static wl_status usual_dims(wl_train_config *config, wl_error *error)
{
    static const uint32_t usual[] = {1024, 512, 256, 128, 64};
    char text[64];
    int size = snprintf(text, sizeof text, "%u", (unsigned)config->dim);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (usual[i] < config->dim)
            size += snprintf(text + size, sizeof text - (size_t)size, ",%u", (unsigned)usual[i]);
    return wl_train_config_set(config, "matryoshka", text, error);
}

static wl_status usual_weights(wl_train_config *config, wl_error *error)
{
    const wl_train_field *field = &wl_train_fields[WL_TRAIN_matryoshka_weights];
    wl_field_clear(config, field);
    for (size_t i = 0; i < config->matryoshka.count; i++)
        if (wl_field_append(config, field, text_of("1"), text_of(""), error)) return error->code;
    return WL_OK;
}

static wl_status usual_log(wl_train_config *config, wl_error *error)
{
    size_t size = strlen(config->output);
    bool slash = config->output[size - 1] == '/';
    char *path = wl_allocate(size + sizeof "/log.jsonl", 1, error);
    if (!path) return WL_ERROR_MEMORY;
    snprintf(path, size + sizeof "/log.jsonl", "%s%slog.jsonl", config->output, slash ? "" : "/");
    config->log = path;
    return WL_OK;
}

/* The largest first, each with its weight: the first one is all of a vector. */
static void sort_dims(wl_train_config *config)
{
    uint32_t *dims = config->matryoshka.items;
    double *weights = config->matryoshka_weights.items;
    for (size_t i = 1; i < config->matryoshka.count; i++)
        for (size_t j = i; j && dims[j] > dims[j - 1]; j--) {
            uint32_t dim = dims[j];
            double weight = weights[j];
            dims[j] = dims[j - 1], weights[j] = weights[j - 1];
            dims[j - 1] = dim, weights[j - 1] = weight;
        }
}

/* No dimension is left as it was drawn. */
static wl_status check_trained(const wl_train_config *config, wl_error *error)
{
    if (config->matryoshka.count > WL_MOST_DIMS)
        return wl_fail(error, WL_ERROR_ARGUMENT, "matryoshka names %zu dimensions, expected at most %d",
                       config->matryoshka.count, WL_MOST_DIMS);
    if (config->matryoshka.items[0] != config->dim)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "dim is %u, but the largest of matryoshka is %u: nothing would train the rest",
                       (unsigned)config->dim, (unsigned)config->matryoshka.items[0]);
    for (size_t i = 0; i < config->matryoshka_weights.count; i++)
        if (!(config->matryoshka_weights.items[i] > 0))
            return wl_fail(error, WL_ERROR_ARGUMENT,
                           "matryoshka_weights: 0 for %u dimensions, expected more: leave them out",
                           (unsigned)config->matryoshka.items[i]);
    return WL_OK;
}

wl_status wl_train_config_finish(wl_train_config *config, uint32_t codebook_dim, wl_error *error)
{
    bool dim_given = config->dim != 0;
    /* Who names the dimensions to train need not name the largest twice. */
    for (size_t i = 0; i < config->matryoshka.count && !dim_given; i++)
        if (config->matryoshka.items[i] > config->dim && config->matryoshka.items[i] <= codebook_dim)
            config->dim = config->matryoshka.items[i];
    if (!config->dim) config->dim = codebook_dim < 1024 ? codebook_dim : 1024;
    if (!config->hidden) config->hidden = config->dim;
    if (check_dims("matryoshka", &config->matryoshka, config->dim, error)) return error->code;
    for (size_t i = 0; i < config->losses.count; i++)
        if (check_dims("dims of a loss", &config->losses.items[i].dims, config->dim, error)) return error->code;
    if (!config->matryoshka.count && usual_dims(config, error)) return error->code;
    if (config->matryoshka_weights.count != config->matryoshka.count && usual_weights(config, error))
        return error->code;
    sort_dims(config);
    if (check_trained(config, error)) return error->code;
    return config->log ? WL_OK : usual_log(config, error);
}
