// dlopen, and one look for each function.
#ifdef REAUTH_POSTGRES
#include "proxy/vault/libpq.hpp"

#include "proxy/vault/record_store.hpp"

#include <dlfcn.h>

namespace reauth {
namespace {

constexpr auto library = "libpq.so.5";

struct loaded_library {
    libpq functions{};
    std::string missing; ///< why it can't be used; empty: it can

    loaded_library() {
        void* handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (!handle) {
            missing = ::dlerror();
            return;
        }
        auto& f = functions;
        find(handle, "PQbackendPID", f.backend_pid);
        find(handle, "PQclear", f.clear);
        find(handle, "PQconnectdbParams", f.connect);
        find(handle, "PQconsumeInput", f.consume_input);
        find(handle, "PQerrorMessage", f.error_message);
        find(handle, "PQexec", f.exec);
        find(handle, "PQexecParams", f.exec_params);
        find(handle, "PQfinish", f.finish);
        find(handle, "PQfreemem", f.free_memory);
        find(handle, "PQgetvalue", f.value);
        find(handle, "PQnotifies", f.notifies);
        find(handle, "PQntuples", f.rows);
        find(handle, "PQreset", f.reset);
        find(handle, "PQresultStatus", f.result_status);
        find(handle, "PQserverVersion", f.server_version);
        find(handle, "PQsocket", f.socket);
        find(handle, "PQstatus", f.status);
        find(handle, "PQtransactionStatus", f.transaction_status);
    }

private:
    template<class F>
    void find(void* handle, const char* name, F& function) {
        function = reinterpret_cast<F>(::dlsym(handle, name));
        if (!function)
            missing = std::string("it has no ") + name;
    }
};

const loaded_library& the_library() {
    static const loaded_library once;
    return once;
}

} // namespace

result<void> load_libpq() {
    const auto& missing = the_library().missing;
    if (missing.empty())
        return {};
    return vault_failure("The PostgreSQL vault needs " + std::string(library) +
                             ", which can't be loaded: " + missing + ".",
                         "Install libpq5, or use vault: {backend: sqlite}.");
}

const libpq& pq() noexcept {
    return the_library().functions;
}

} // namespace reauth
#endif
