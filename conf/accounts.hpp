// Several accounts at one server: each is an upstream of its own, called NAME@ACCOUNT.
#pragma once

#include "conf/config.hpp"

#include <string_view>

namespace reauth {

/// The name of all its accounts: NAME of NAME@ACCOUNT.
std::string_view without_account(std::string_view upstream) noexcept;
/// Whether somebody who says that name may mean it: its own, or the one of all accounts.
bool is_called(std::string_view upstream, std::string_view name) noexcept;
/// The upstream of that name; NAME alone is the first account. Null: there is none.
const upstream_config* upstream_named(const config& c, std::string_view name);

} // namespace reauth
