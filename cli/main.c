/* wordllama: the verbs are in verbs.c, their flags in flags.c, one cmd_*.c each. Data goes to standard output, messages
 * to standard error, one line each. Exit status: 0 success, 1 failure, 2 a wrong command line; where a verb searches, 1
 * nothing found and 2 any failure. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "args.h"
#include "commands.h"
#include "io.h"

/* Descriptors 0 to 2 that the parent closed are taken, so that no file that is opened later gets their number: 0 for
 * writing and 1 for reading, so that their use fails as it should. */
static void fill_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int i = 0; i < 3; i++)
        if (fcntl(i, F_GETFD) == -1 && open("/dev/null", modes[i]) < 0) return;
}

static wl_status print_page(const cli_settings *settings, const cli_verb *verb, wl_error *error)
{
    wl_buffer page = {0};
    if (settings->help && !verb && settings->operand_count) {
        verb = find_verb(settings->operands[0]);
        if (!verb) return fail_unknown_verb(settings->operands[0], error);
    }
    wl_status status = settings->version ? append_format(&page, error, "wordllama %s\n", wl_version())
                       : settings->man   ? write_man(verb, &page, error)
                                         : write_help(verb, &page, error);
    if (!status) status = print_all(&page, error);
    wl_buffer_free(&page);
    return status;
}

static wl_status run(int argc, char **argv, const cli_verb **chosen, wl_error *error)
{
    cli_settings settings;
    wl_status status = parse_arguments(argc, argv, &settings, chosen, error);
    const cli_verb *verb = *chosen;
    if (status)
        ;
    else if (settings.help || settings.man || settings.version)
        status = print_page(&settings, verb, error);
    else if (!verb)
        status = wl_fail(error, WL_ERROR_ARGUMENT, "no verb (see 'wordllama --help')");
    else
        status = verb->run(&settings, error);
    settings_free(&settings);
    return status;
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    begin_process(argv);
    install_signal_handlers();
    wl_error error;
    const cli_verb *verb;
    wl_status status = run(argc, argv, &verb, &error);
    if (!status) return 0;
    bool found_nothing = verb && verb->searches && !*error.message;
    if (found_nothing) return 1;
    char message[sizeof error.file + sizeof error.message + 64];
    wl_error_format(&error, message, sizeof message);
    /* One line, whatever a file's name or content put into it. */
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < 0x20) *c = '?';
    fprintf(stderr, "wordllama: %s\n", message);
    return error.code == WL_ERROR_ARGUMENT || (verb && verb->searches) ? 2 : 1;
}
