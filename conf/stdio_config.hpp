// The configuration of `mcp-reauth stdio`: one upstream for one client, which is on standard input.
#pragma once

#include "conf/load.hpp"

#include <set>
#include <string>
#include <vector>

namespace reauth {

struct stdio_target {
    std::string upstream;                      ///< a URL, or the name of an upstream of the file
    std::string file;                          ///< empty: none
    std::vector<std::string> headers;          ///< "Name: value", with ${VARIABLE} taken from the environment
    std::set<std::string> secret_headers = {}; ///< … those that no list of processes shows
    std::string apart = {};   ///< what else tells its sign-ins apart from others at the same URL; a line each
    std::string account = {}; ///< one of its `accounts`, or any name for a URL of no file; empty: the first
};

/// ${NAME} becomes the variable's value; the names are added to `used`. `flag` is what holds the text.
/// fault::invalid_configuration: one is not set, or empty.
result<std::string> with_variables(std::string_view text, const std::string& flag,
                                   const config_inputs& inputs, std::vector<std::string>& used);

/// The file's settings (or the defaults), of whose upstreams the one alone is left that is meant: the one of
/// that name, the one with that URL, or a new one. What concerns other clients (listeners, `client_auth`,
/// metrics) is gone. An `Authorization: Bearer` among the headers makes it grant `static`.
/// fault::invalid_configuration.
result<config> config_for_stdio(const stdio_target& target, config_inputs inputs);

} // namespace reauth
