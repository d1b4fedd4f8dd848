// How Catch prints a result<T>: the failure's words, whatever T is.
#pragma once

#include "core/base/failure.hpp"

#include "tests/support/catch.hpp"

template<class T>
struct Catch::StringMaker<reauth::result<T>> {
    static std::string convert(const reauth::result<T>& r) {
        return r.has_value() ? "(a value)" : r.error().describe();
    }
};
