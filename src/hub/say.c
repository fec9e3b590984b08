#include "hub/say.h"

#include <stdarg.h>
#include <stdio.h>

void wl_say(wl_pull_message message, void *user, const char *format, ...)
{
    if (!message) return;
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    message(user, text);
}
