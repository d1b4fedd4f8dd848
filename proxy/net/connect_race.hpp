// Connects to one of several addresses: the attempts of an address plan, raced.
#pragma once

#include "proxy/net/address_plan.hpp"
#include "proxy/net/client_run.hpp"

#include <memory>
#include <string>
#include <vector>

namespace reauth {

/// One host's addresses, tried once. Shared by who waits and by who may cancel it; on one executor.
class connect_race : public std::enable_shared_from_this<connect_race> {
public:
    connect_race(executor ex, std::vector<asio::ip::tcp::endpoint> order)
        : ex_(ex), bell_(ex), schedule_(order.size()), order_(std::move(order)) {}

    /// The first that connects, or what each attempt said, as one text: "[::1]: refused, 10.0.0.1: timed
    /// out".
    task<boost::system::result<std::shared_ptr<client_socket>, std::string>> run();
    /// All attempts end; run() tells so.
    void cancel();

private:
    struct attempt {
        std::shared_ptr<client_socket> socket;
        std::optional<error_code> end;
    };
    void begin(std::size_t which);
    std::string said() const;

    executor ex_;
    loop_timer bell_;
    connect_schedule schedule_;
    std::vector<asio::ip::tcp::endpoint> order_;
    std::vector<attempt> attempts_;
    std::shared_ptr<client_socket> winner_;
    bool cancelled_ = false;
};

} // namespace reauth
