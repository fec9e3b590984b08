/* One file from a web address into a landing. */
#ifndef WL_HUB_DOWNLOAD_H
#define WL_HUB_DOWNLOAD_H

#include "hub/landing.h"

/* http and https alone, redirects followed, certificates verified. token: sent as bearer to url's host alone; NULL:
 * none. The landing is written, not finished. options: the callbacks, members checked. Every failure of the other side
 * or the way there is an error with the address in its message and landing->local false. */
wl_status wl_download(const char *url, const char *token, wl_landing *landing, const wl_pull_options *options,
                      wl_error *error);

#endif
