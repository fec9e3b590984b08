#include "hub/environment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "hub/cache.h"
#include "wordllama_train.h"

static const char public_hub[] = "https://huggingface.co";

enum { TOKEN_LIMIT = 4096, TIMEOUT_LIMIT = 86400 };

/* A path of the environment as the hub's package understands it: "~" and "~/" lead home, $NAME and ${NAME} are replaced
 * where such a variable is set. */
static char *expand(const char *path, wl_error *error)
{
    wl_buffer out = {0};
    const char *home = wl_environment("HOME");
    wl_status status = WL_OK;
    if (home && path[0] == '~' && (path[1] == '/' || path[1] == 0)) {
        status = wl_buffer_append(&out, home, strlen(home), error);
        path++;
    }
    while (!status && *path) {
        size_t plain = strcspn(path, "$");
        status = wl_buffer_append(&out, path, plain, error);
        path += plain;
        if (status || !*path) break;
        bool braced = path[1] == '{';
        const char *name = path + 1 + braced;
        size_t length = 0;
        while (isalnum((unsigned char)name[length]) || name[length] == '_') length++;
        const char *end = name + length + (braced && name[length] == '}');
        char variable[256];
        const char *value = NULL;
        if (length && length < sizeof variable && (!braced || end > name + length)) {
            memcpy(variable, name, length);
            variable[length] = 0;
            value = getenv(variable);
        }
        if (!value) { /* stands for itself */
            value = "$";
            end = path + 1;
        }
        status = wl_buffer_append(&out, value, strlen(value), error);
        path = end;
    }
    if (!status) status = wl_buffer_append(&out, "", 1, error);
    if (!status) return out.data;
    wl_buffer_free(&out);
    return NULL;
}

/* The folders that may be meant, in the order in which the variables count. */
typedef struct place {
    const char *variable, *below; /* below NULL: the variable's value itself */
} place;

static const place caches[] = {
    {"HF_HUB_CACHE", NULL},
    {"HUGGINGFACE_HUB_CACHE", NULL},
    {"HF_HOME", "hub"},
    {"XDG_CACHE_HOME", "huggingface/hub"},
    {"HOME", ".cache/huggingface/hub"},
    {0},
};

/* What the hub's login leaves. */
static const place tokens[] = {
    {"HF_TOKEN_PATH", NULL},
    {"HF_HOME", "token"},
    {"XDG_CACHE_HOME", "huggingface/token"},
    {"HOME", ".cache/huggingface/token"},
    {0},
};

/* *path: to be freed; NULL where no variable is set. */
static wl_status find_place(const place *places, char **path, wl_error *error)
{
    *path = NULL;
    for (; places->variable; places++) {
        const char *value = wl_environment(places->variable);
        if (!value) continue;
        char *folder = expand(value, error);
        if (!folder) return WL_ERROR_MEMORY;
        *path = places->below ? wl_path_join(folder, places->below, error) : folder;
        if (places->below) free(folder);
        return *path ? WL_OK : WL_ERROR_MEMORY;
    }
    return WL_OK;
}

char *wl_hub_cache_path(const char *given, wl_error *error)
{
    char *path = NULL;
    if (given) return wl_copy_text(given, strlen(given), error);
    if (find_place(caches, &path, error)) return NULL;
    if (!path)
        wl_fail(error, WL_ERROR_NOT_FOUND,
                "no folder for the hub's cache: none of HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME and HOME is set");
    return path;
}

static char *choose_endpoint(const char *given, wl_error *error)
{
    if (!given) given = wl_environment("HF_ENDPOINT");
    if (!given) given = public_hub;
    const char *host = !strncasecmp(given, "https://", 8)  ? given + 8
                       : !strncasecmp(given, "http://", 7) ? given + 7
                                                           : NULL;
    /* A password in the address would be shown in messages; a token is the way. */
    bool good = host && *host && *host != '/' && !memchr(host, '@', strcspn(host, "/?#"));
    for (const char *c = given; good && *c; c++) good = *c > 32 && *c < 127 && *c != '?' && *c != '#';
    if (!good) {
        wl_fail(error, WL_ERROR_ARGUMENT,
                "the hub's endpoint must be http:// or https:// with a host and no user name");
        return NULL;
    }
    size_t length = strlen(given);
    while (given[length - 1] == '/') length--;
    return wl_copy_text(given, length, error);
}

/* A token without the white space around it, such as the line break at the end of a file. It becomes part of a header:
 * it must not end that. */
static wl_status keep_token(const char *text, size_t size, const char *origin, char **token, wl_error *error)
{
    while (size && isspace((unsigned char)*text)) text++, size--;
    while (size && isspace((unsigned char)text[size - 1])) size--;
    bool good = size <= TOKEN_LIMIT;
    for (size_t i = 0; good && i < size; i++) good = text[i] > 32 && text[i] < 127;
    if (!good)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%s is too long or holds a character that a token cannot have",
                       origin);
    if (size) *token = wl_copy_text(text, size, error);
    return *token || !size ? WL_OK : WL_ERROR_MEMORY;
}

static bool is_true(const char *variable)
{
    static const char *const words[] = {"1", "true", "yes", "on"};
    const char *value = wl_environment(variable);
    for (size_t i = 0; value && i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(value, words[i])) return true;
    return false;
}

bool wl_hub_switched_off(void)
{
    return is_true(wl_environment("HF_HUB_OFFLINE") ? "HF_HUB_OFFLINE" : "TRANSFORMERS_OFFLINE");
}

static wl_status find_token(char **token, wl_error *error)
{
    if (is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) return WL_OK;
    static const char *const variables[] = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = wl_environment(variables[i]);
        if (value) return keep_token(value, strlen(value), variables[i], token, error);
    }
    char *path;
    wl_status status = find_place(tokens, &path, error);
    if (status || !path) return status;
    wl_mapping mapping;
    wl_error unused;
    if (wl_mapping_open(&mapping, path, &unused) == WL_OK) { /* no such file: nobody logged in */
        status = keep_token(mapping.data, mapping.size, path, token, error);
        wl_mapping_close(&mapping);
    }
    free(path);
    return status;
}

/* Whole seconds; anything else is the usual number. */
static long seconds_of(const char *variable, long usual)
{
    const char *value = wl_environment(variable);
    char *end = NULL;
    long seconds = value ? strtol(value, &end, 10) : 0;
    return value && *end == 0 && seconds > 0 && seconds <= TIMEOUT_LIMIT ? seconds : usual;
}

wl_status wl_hub_cache_directory(char *buffer, size_t size, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!buffer) return wl_fail(error, WL_ERROR_ARGUMENT, "the buffer is NULL");
    return wl_deliver_path(wl_hub_cache_path(NULL, error), buffer, size, error);
}

wl_status wl_hub_environment_read(wl_hub_environment *environment, const char *cache, const char *endpoint,
                                  wl_error *error)
{
    *environment = (wl_hub_environment){
        .offline = wl_hub_switched_off(),
        .answer_seconds = seconds_of("HF_HUB_ETAG_TIMEOUT", 10),
        .stall_seconds = seconds_of("HF_HUB_DOWNLOAD_TIMEOUT", 30),
    };
    environment->endpoint = choose_endpoint(endpoint, error);
    if (environment->endpoint) environment->cache = wl_hub_cache_path(cache, error);
    if (!environment->cache) return error->code;
    return find_token(&environment->token, error);
}

void wl_hub_environment_free(wl_hub_environment *environment)
{
    free(environment->cache);
    free(environment->endpoint);
    free(environment->token);
    *environment = (wl_hub_environment){0};
}
