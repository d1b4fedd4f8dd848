// Content codings (RFC 9110 §8.4.1) of answers that were asked for without one, and came with one all the
// same.
#pragma once

#include "core/base/failure.hpp"
#include "core/text/ascii.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace reauth {

/// The codings of all Content-Encoding fields, in order, joined by commas.
template<class Fields>
std::string content_codings(const Fields& fields) {
    std::string out;
    for (const auto& f : fields)
        if (iequals(f.name, "Content-Encoding"))
            out.append(out.empty() ? "" : ",").append(f.value);
    return out;
}

/// Takes a body out of its codings, piece by piece.
class content_decoder {
public:
    /// `codings`: the Content-Encoding field's values, joined by commas; empty, or identity: the body is
    /// copied. fault::upstream_malformed names what is not gzip, x-gzip or deflate (zlib or raw, both are in
    /// use).
    static result<content_decoder> create(std::string_view codings);

    content_decoder(content_decoder&&) noexcept;
    content_decoder& operator=(content_decoder&&) noexcept;
    ~content_decoder();

    /// The body is copied as it is.
    bool identity() const noexcept;
    /// Appends what `piece` decodes to, so that `out` holds at most `cap` bytes. fault::upstream_malformed if
    /// it is no such coding, or would be larger.
    result<void> feed(std::string_view piece, std::string& out, std::size_t cap);
    /// At the end of the body: fault::upstream_malformed if the coded data breaks off.
    result<void> finish() const;

private:
    struct stage;
    explicit content_decoder(std::unique_ptr<stage> first);
    std::unique_ptr<stage> first_; ///< the coding that was applied last; nullptr: identity
};

/// A whole body decoded, at most `cap` bytes.
result<std::string> decode_content(std::string_view codings, std::string_view body, std::size_t cap);

} // namespace reauth
