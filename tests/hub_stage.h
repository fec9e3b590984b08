/* The stage of the tests of the hub room: folders of their own, the files of owner/stand-in, the server. */
#ifndef WL_TESTS_HUB_STAGE_H
#define WL_TESTS_HUB_STAGE_H

#include "hub.h"
#include "hub/http.h"

enum { WEIGHTS = 300000 };

static unsigned char weights[WEIGHTS * 10];
static const char words[] = "{\"stand-in\": true}\n";
static char weights_hash[WL_DIGEST_TEXT], words_hash[WL_DIGEST_TEXT];

/* root holds WordLlama's cache; hub_cache is the hub's. */
static char root[] = "/tmp/wl_test_hub.XXXXXX", hub_cache[64];
static char notes[4096];

static void note(void *user, const char *text)
{
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

static inline void hash_of(const void *data, size_t size, const char *name, char text[WL_DIGEST_TEXT])
{
    wl_error error;
    wl_digest digest;
    text[0] = 0;
    CHECK((name ? wl_digest_begin_named(&digest, name, size, &error) : wl_digest_begin(&digest, &error)) == WL_OK);
    /* In uneven pieces: the same as at once. */
    for (size_t begin = 0; begin < size;) {
        size_t piece = size - begin < 777 ? size - begin : 777;
        CHECK(wl_digest_add(&digest, (const char *)data + begin, piece, &error) == WL_OK);
        begin += piece;
    }
    CHECK(wl_digest_end(&digest, text, &error) == WL_OK);
    wl_digest_drop(&digest);
}

static inline void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (!file) return;
    fputs(text, file);
    fclose(file);
}

static inline wl_hub_options options_of(const char *behaviour)
{
    static char endpoint[128];
    snprintf(endpoint, sizeof endpoint, "%s/%s", hub_base, behaviour);
    notes[0] = 0;
    return (wl_hub_options){.size = sizeof(wl_hub_options), .endpoint = endpoint, .message = note};
}

static inline wl_status append(void *user, const void *data, size_t size, wl_error *error)
{
    return wl_buffer_append(user, data, size, error);
}

/* How many requests a behaviour has had; what: "requests", or "ranges" for those for a part of a file. */
static inline int asked_for(const char *behaviour, const char *what)
{
    char url[128];
    snprintf(url, sizeof url, "%s/%s/%s", hub_base, behaviour, what);
    wl_http http = {.endpoint = hub_base, .answer_seconds = 10, .stall_seconds = 10};
    wl_buffer text = {0};
    wl_request request = {.url = url, .take = append, .user = &text};
    wl_answer answer;
    wl_error error;
    wl_status status = wl_http_send(&http, &request, &answer, &error);
    if (!status) status = wl_buffer_append(&text, "", 1, &error);
    int count = status ? -1 : atoi(text.data);
    wl_buffer_free(&text);
    wl_http_close(&http);
    return count;
}

static inline int requests(const char *behaviour)
{
    return asked_for(behaviour, "requests");
}

static inline void forget_hub(void)
{
    wl_remove_tree(hub_cache);
}

static inline bool is_in_cache(const char *file)
{
    char path[256];
    snprintf(path, sizeof path, "%s/models--owner--stand-in/%s", hub_cache, file);
    return access(path, F_OK) == 0;
}

static inline void check_stand_in(void)
{
    CHECK(hub_faults(hub_cache, "models--owner--stand-in") == 0);
    CHECK(hub_incomplete(hub_cache, "models--owner--stand-in") == 0);
}

static inline bool holds_text(const char *path, const char *text)
{
    size_t size = 0;
    char *data = hub_read(path, &size);
    bool same = data && !strcmp(data, text);
    free(data);
    return same;
}

static inline bool stop_soon(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)total;
    *(const char **)user = file;
    return done < 100;
}

/* Makes the folders' names, the files and a clean environment. */
static inline bool stage_begin(void)
{
    if (!mkdtemp(root)) return false;
    snprintf(hub_cache, sizeof hub_cache, "%s.hub", root);
    hub_clear_environment();
    for (int i = 0; i < WEIGHTS * 10; i++) weights[i] = (unsigned char)((i % WEIGHTS * 7 + i % WEIGHTS / 251) % 256);
    hash_of(weights, WEIGHTS, NULL, weights_hash);
    hash_of(words, sizeof words - 1, NULL, words_hash);
    return true;
}

/* From here on nobody's home and nobody's cache but these. */
static inline void stage_move_in(void)
{
    setenv("HOME", root, 1);
    setenv("HF_HUB_CACHE", hub_cache, 1);
}

static inline void stage_end(void)
{
    wl_remove_tree(root);
    wl_remove_tree(hub_cache);
}

#endif
