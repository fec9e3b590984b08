/* test_parts over golden/pretokenizers_perl.jsonl: expressions that only PCRE2 runs. */
#define main test_parts_main
#include "test_parts.c"
#undef main

int main(void)
{
    char *names[] = {"test_parts_perl", "../pretokenizers_perl"};
    return test_parts_main(2, names);
}
