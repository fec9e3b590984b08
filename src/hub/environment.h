/* What the environment says of the hub: the variables of the Python package huggingface_hub, all in this place. They
 * are read when a hub is opened, not while another thread changes them. An empty variable counts as unset. */
#ifndef WL_HUB_ENVIRONMENT_H
#define WL_HUB_ENVIRONMENT_H

#include "base/status.h"

/* The hub's cache folder, to be freed; given NULL: what the variables say. NULL on failure. */
char *wl_hub_cache_path(const char *given, wl_error *error);

/* Whether the variables say that the hub is not to be asked. */
bool wl_hub_switched_off(void);

typedef struct wl_hub_environment {
    char *cache;    /* the hub's cache folder; need not exist */
    char *endpoint; /* http(s)://host[:port][/path], without a slash at the end */
    char *token;    /* NULL: none */
    bool offline;
    long answer_seconds; /* how long the hub may take to answer a question */
    long stall_seconds;  /* how long a transfer may stand still */
} wl_hub_environment;

/* cache, endpoint: what the caller wants; NULL: what the variables say. Free with wl_hub_environment_free, after a
 * failure too. WL_ERROR_ARGUMENT for an endpoint that is none, or a token that no header can carry. */
wl_status wl_hub_environment_read(wl_hub_environment *environment, const char *cache, const char *endpoint,
                                  wl_error *error);
void wl_hub_environment_free(wl_hub_environment *environment);

#endif
