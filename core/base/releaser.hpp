// Owners for what C libraries hand out.
#pragma once

#include <memory>

namespace reauth {

/// A deleter that calls `release`: std::unique_ptr<BIO, releaser<BIO_free>>.
template<auto release>
struct releaser {
    template<class T>
    void operator()(T* p) const {
        release(p);
    }
};

} // namespace reauth
