// The configuration's schema: what the readers know of each key (key_log.hpp) and what it means
// (key_words.hpp), as JSON Schema for editors, as docs/configuration.md, and as the man page
// mcp-reauth.yaml(5).
#pragma once

#include "conf/key_log.hpp"

#include <string>
#include <vector>

namespace reauth {

/// Every key there is, in the order in which it is read.
std::vector<key_note> known_keys();

/// JSON Schema 2020-12. Where it says no, `check` does; `check` knows more (what fits what).
std::string configuration_json_schema();
/// docs/configuration.md.
std::string configuration_markdown();
/// mcp-reauth.yaml.5, for man.
std::string configuration_manual();

} // namespace reauth
