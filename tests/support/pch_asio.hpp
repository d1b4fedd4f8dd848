// Precompiled: what the tests of proxy/ include besides.
#pragma once

#include "tests/support/pch.hpp"

#include <boost/asio.hpp>
