/* fuzz_extract: any bytes as a record, held against other programs' reading (extract_oracle.h). */
#include "extract_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oracle oracle;
    oracle_open(&oracle);
    const struct slice record = slice_make((const char *)data, size);
    const char *wrong = oracle_check(&oracle, record);
    wrong = wrong ? wrong : oracle_check(&oracle, record); /* its keys are known now */
    if (wrong) {
        fprintf(stderr, "%s: %.*s\n", wrong, (int)size, (const char *)data);
        abort();
    }
    oracle_close(&oracle);
    return 0;
}
