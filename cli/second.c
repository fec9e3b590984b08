/* Verbs that need the second library live in the command wordllama-train, which has all verbs and links libcurl and the
 * like. This one hands over to it, so that loading those libraries costs nothing where they are not needed. */
#include "commands.h"
#include "sibling.h"

#define HAND_OVER(verb)                                                                                                \
    wl_status cmd_##verb(const cli_settings *settings, wl_error *error)                                                \
    {                                                                                                                  \
        return sibling_become(settings->arguments, error);                                                             \
    }

HAND_OVER(pull)
HAND_OVER(extract)
HAND_OVER(configs)
HAND_OVER(concat)
HAND_OVER(codebook)
HAND_OVER(reduce)
HAND_OVER(eval)
HAND_OVER(classify)
HAND_OVER(prepare)
HAND_OVER(vocab)
HAND_OVER(targets)
HAND_OVER(average)
HAND_OVER(train)

void begin_process(char **arguments)
{
    (void)arguments;
}
