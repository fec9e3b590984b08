/* Verbs that need the second library live in the command wordllama-train, which has all verbs and links libcurl and the
 * like. This one hands over to it, so that loading those libraries costs nothing where they are not needed. */
#include "commands.h"
#include "sibling.h"

wl_status cmd_pull(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_extract(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_configs(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_concat(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_codebook(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_reduce(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_eval(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_classify(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_prepare(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}

wl_status cmd_train(const cli_settings *settings, wl_error *error)
{
    return sibling_become(settings->arguments, error);
}
