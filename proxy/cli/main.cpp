// The binary's entry.
#include "proxy/cli/cli.hpp"

int main(int argc, char** argv) {
    return reauth::cli_main(argc, argv);
}
