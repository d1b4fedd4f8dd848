// A credential as JSON for the sealed vault, and back.
#pragma once

#include "core/base/failure.hpp"
#include "core/oauth/credential.hpp"

namespace reauth {

/// One JSON object with every member; times are milliseconds since 1970.
secret credential_to_json(const credential& value);
/// fault::vault_unavailable if it is not what credential_to_json wrote. Unknown members are ignored (a newer
/// version wrote them).
result<credential> credential_from_json(const secret& text);

} // namespace reauth
