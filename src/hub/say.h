/* Notes for people, to the caller's message callback. */
#ifndef WL_HUB_SAY_H
#define WL_HUB_SAY_H

#include "base/status.h"
#include "wordllama_train.h"

/* printf-style, one line without a line break, cut at 1,000 bytes; nothing where message is NULL. */
void wl_say(wl_pull_message message, void *user, const char *format, ...) WL_PRINTF(3, 4);

#endif
