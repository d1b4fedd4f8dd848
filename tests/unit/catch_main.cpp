// Catch2's main function, compiled once; version 3 brings it in its library.
#define CATCH_CONFIG_MAIN
#include "tests/support/catch.hpp"
