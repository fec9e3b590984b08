#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "io.h"
#include "models.h"

static const char *const policies[] = {
    [WL_POLICY_AUTO] = "auto",
    [WL_POLICY_WORDLLAMA] = "wordllama",
    [WL_POLICY_MODEL2VEC] = "model2vec",
};

/* A property is a text, or a number where text is NULL, or a truth where boolean. */
typedef struct property {
    const char *name, *text;
    size_t number;
    bool boolean;
} property;

static wl_status append_property(const property *row, bool json, bool first, wl_buffer *out, wl_error *error)
{
    static const char *const truths[2][2] = {{"no", "yes"}, {"false", "true"}};
    if (json) {
        if (append_format(out, error, "%s\"%s\": ", first ? "{" : ", ", row->name)) return error->code;
    } else if (append_format(out, error, "%s:%*s", row->name, 12 - (int)strlen(row->name), "")) {
        return error->code;
    }
    if (row->boolean) return append_format(out, error, "%s%s", truths[json][row->number != 0], json ? "" : "\n");
    if (!row->text) return append_format(out, error, "%zu%s", row->number, json ? "" : "\n");
    if (json) return append_json(out, (wl_text){row->text, strlen(row->text)}, error);
    return append_format(out, error, "%s\n", row->text);
}

static wl_status describe(const wl_model *model, const char *path, bool json, wl_buffer *out, wl_error *error)
{
    wl_model_info info = wl_model_describe(model);
    const property properties[] = {
        {.name = "path", .text = path},
        {.name = "dim", .number = info.dim},
        {.name = "rows", .number = info.rows},
        {.name = "dtype", .text = info.dtype},
        {.name = "bytes", .number = info.bytes},
        {.name = "tokenizer", .text = wl_tokenizer_kind(wl_model_tokenizer(model))},
        {.name = "vocabulary", .number = info.vocabulary},
        {.name = "policy", .text = policies[info.policy]},
        {.name = "normalize", .number = info.normalize, .boolean = true},
        {.name = "weighted", .number = info.weighted, .boolean = true},
        {.name = "mapped", .number = info.mapped, .boolean = true},
        {.name = "packed", .number = info.packed, .boolean = true},
        {.name = "tokens", .number = info.max_tokens},
        {.name = "characters", .number = info.max_characters},
        {.name = "cpu", .text = wl_cpu_name()},
        {.name = "version", .text = wl_version()},
    };
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        /* 0 tokens or characters: no limit, nothing to tell. */
        bool limit = !properties[i].text && !properties[i].boolean && !properties[i].number;
        if (!limit && append_property(&properties[i], json, i == 0, out, error)) return error->code;
    }
    return json ? wl_buffer_append(out, "}\n", 2, error) : WL_OK;
}

wl_status cmd_info(const cli_settings *settings, wl_error *error)
{
    char *path = NULL;
    wl_buffer out = {0};
    const char *name = settings->operand_count ? settings->operands[0] : settings->model;
    wl_model *model = open_model(name, settings, false, &path, error);
    wl_status status = model ? describe(model, path, settings->json, &out, error) : error->code;
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    wl_model_close(model);
    free(path);
    return status;
}
