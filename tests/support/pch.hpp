// Precompiled: what every test includes.
#pragma once

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
