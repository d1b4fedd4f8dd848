// Reads at most a small file or one variable, and trims its end.
#include "proxy/recovery/secret_files.hpp"

#include "conf/regular_file.hpp"
#include "core/oauth/token_form.hpp"
#include "core/text/ascii.hpp"

namespace reauth {

result<secret> read_secret_now(const secret_source& source) {
    if (source.from != secret_source::kind::file)
        return source.value;
    const auto file = read_regular_file(source.name);
    if (!file)
        return failure::permanent(fault::invalid_configuration, source.name + " " + file.trouble,
                                  "check the file");
    const auto text = trim_space(file.text->reveal());
    if (text.empty())
        return failure::permanent(fault::invalid_configuration, source.name + " is empty",
                                  "put the secret into it");
    return secret(std::string(text));
}

result<secret> read_token_now(const secret_source& source, token_form form) {
    auto text = read_secret_now(source);
    if (!text)
        return text;
    auto token = token_to_send(form, text->reveal());
    if (!token)
        return failure::permanent(fault::invalid_configuration,
                                  (source.name.empty() ? std::string("the configured token") : source.name) +
                                      " holds characters that no token has (RFC 6749, appendix A.12)",
                                  "put the token alone there, on one line");
    return std::move(*token);
}

} // namespace reauth
