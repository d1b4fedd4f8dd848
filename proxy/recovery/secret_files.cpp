// Reads at most a small file or one variable, and trims its end.
#include "proxy/recovery/secret_files.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace reauth {

result<secret> read_secret_now(const secret_source& source) {
    if (source.from != secret_source::kind::file)
        return source.value;
    std::ifstream in(source.name, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    if (!in.is_open() || in.bad())
        return failure::permanent(fault::invalid_configuration,
                                  "cannot read " + source.name + ": " + std::strerror(errno),
                                  "check the file");
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
        text.pop_back();
    if (text.empty())
        return failure::permanent(fault::invalid_configuration, source.name + " is empty",
                                  "put the secret into it");
    return secret(std::move(text));
}

} // namespace reauth
