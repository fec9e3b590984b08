#include "extract/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "format/json.h"

/* The members of a config, each with its place in the struct. */
typedef enum member_kind { MEMBER_TEXT, MEMBER_COUNT, MEMBER_SWITCH } member_kind;

static const struct {
    const char *name;
    size_t offset;
    member_kind kind;
    bool required;
} members[] = {
    {"model", offsetof(wl_codebook_config, model), MEMBER_TEXT, true},
    {"dim", offsetof(wl_codebook_config, dim), MEMBER_COUNT, true},
    {"vocabulary", offsetof(wl_codebook_config, vocabulary), MEMBER_COUNT, true},
    {"pad_token", offsetof(wl_codebook_config, pad_token), MEMBER_TEXT, false},
    {"tensor", offsetof(wl_codebook_config, tensor), MEMBER_TEXT, false},
    {"padded", offsetof(wl_codebook_config, padded), MEMBER_SWITCH, false},
    {"composed", offsetof(wl_codebook_config, composed), MEMBER_SWITCH, false},
    {"note", offsetof(wl_codebook_config, note), MEMBER_TEXT, false},
};

enum { MEMBERS = sizeof members / sizeof *members };

size_t wl_codebook_configs(const char *const **names)
{
    size_t count = 0;
    while (wl_config_names[count]) count++;
    if (names) *names = wl_config_names;
    return count;
}

static void read_member(wl_json *json, size_t member, wl_codebook_config *config)
{
    char *place = (char *)config + members[member].offset;
    if (members[member].kind == MEMBER_SWITCH)
        *(bool *)(void *)place = wl_json_boolean(json);
    else if (members[member].kind == MEMBER_COUNT) {
        uint64_t count = wl_json_unsigned(json, UINT32_MAX);
        if (!json->failed && !count) wl_json_fail(json, WL_ERROR_FORMAT, "%s is 0", members[member].name);
        *(uint64_t *)(void *)place = count;
    } else {
        wl_text text = wl_json_string(json);
        if (json->failed) return;
        if (!text.size || memchr(text.data, 0, text.size)) {
            wl_json_fail(json, WL_ERROR_FORMAT, "%s is empty or holds a NUL", members[member].name);
            return;
        }
        *(char **)(void *)place = wl_copy_text(text.data, text.size, json->error);
        if (!*(char **)(void *)place) json->failed = true;
    }
}

/* A config is written by hand: what is not known is a slip, not to be passed over. */
static wl_status read_config(wl_text text, const char *name, wl_codebook_config *config, wl_error *error)
{
    wl_buffer scratch = {0};
    wl_json json;
    wl_text key;
    bool seen[MEMBERS] = {false};
    wl_json_open(&json, text.data, text.size, name, &scratch, error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        size_t member = 0;
        while (member < MEMBERS && !wl_text_is(key, members[member].name)) member++;
        if (member == MEMBERS || seen[member]) {
            wl_json_fail(&json, WL_ERROR_FORMAT,
                         "member \"%.*s\" is %s; a config has model, dim, vocabulary, pad_token, tensor, padded, "
                         "composed and note",
                         (int)(key.size < 60 ? key.size : 60), key.data,
                         member == MEMBERS ? "not known" : "there twice");
            break;
        }
        seen[member] = true;
        read_member(&json, member, config);
    }
    for (size_t i = 0; i < MEMBERS && !json.failed; i++)
        if (members[i].required && !seen[i])
            wl_json_fail(&json, WL_ERROR_FORMAT, "the config has no %s", members[i].name);
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    return status;
}

static wl_status read_file(const char *path, wl_codebook_config *config, wl_error *error)
{
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, path, error)) return error->code;
    wl_status status = read_config((wl_text){mapping.data, mapping.size}, path, config, error);
    wl_mapping_close(&mapping);
    return status;
}

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

/* NAME.json in the user's folder; NULL where there is none, or on failure. */
static char *own_path(const char *name, wl_error *error)
{
    const char *folder = getenv("WORDLLAMA_CONFIGS");
    if (!folder || !*folder) return NULL;
    size_t length = strlen(name);
    char *file = wl_allocate(length + sizeof ".json", 1, error), *path = NULL;
    if (file) {
        memcpy(file, name, length);
        memcpy(file + length, ".json", sizeof ".json");
        path = wl_path_join(folder, file, error);
    }
    free(file);
    if (path && !wl_path_exists(path)) {
        free(path);
        path = NULL;
    }
    return path;
}

wl_status wl_codebook_config_read(const char *name, wl_codebook_config *config, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!name || !config) return wl_fail(error, WL_ERROR_ARGUMENT, "the config%s is NULL", name ? "" : "'s name");
    *config = (wl_codebook_config){0};
    *error = (wl_error){.byte = WL_NO_POSITION};
    if (is_path(name)) {
        const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
        const char *dot = strrchr(base, '.');
        config->name = wl_copy_text(base, dot && dot != base ? (size_t)(dot - base) : strlen(base), error);
        return config->name ? read_file(name, config, error) : WL_ERROR_MEMORY;
    }
    config->name = wl_copy_text(name, strlen(name), error);
    if (!config->name) return WL_ERROR_MEMORY;
    char *path = own_path(name, error);
    if (!path && error->code) return error->code;
    wl_status status = WL_ERROR_NOT_FOUND;
    if (path)
        status = read_file(path, config, error);
    else
        for (const wl_config_text *row = wl_config_texts; row->name && status == WL_ERROR_NOT_FOUND; row++)
            if (strcmp(row->name, name) == 0)
                status = read_config((wl_text){row->json, strlen(row->json)}, name, config, error);
    if (!path && status == WL_ERROR_NOT_FOUND)
        wl_fail(error, status, "no config is known as \"%.100s\" ('wordllama configs' lists them)", name);
    free(path);
    return status;
}

void wl_codebook_config_free(wl_codebook_config *config)
{
    if (!config) return;
    free(config->name);
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].kind == MEMBER_TEXT) free(*(char **)(void *)((char *)config + members[i].offset));
    *config = (wl_codebook_config){0};
}
