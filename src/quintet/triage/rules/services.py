"""What the tests talk to: other processes, and the network between."""

from quintet.triage.model import Place
from quintet.triage.signatures import Rule, row

_NETWORK = (
    "ConnectionRefusedError ConnectError ConnectionError ConnectionResetError OSError OperationalError "
    "NewConnectionError MaxRetryError URLError "
    "ClientConnectorError ClientConnectionError NoServersError NoBrokersAvailable ServerSelectionTimeoutError "
    "EndpointConnectionError "
    "_InactiveRpcError AioRpcError APIConnectionError UnixHTTPConnectionPool RedisError ServerConnectionError "
    "CommunicationsError NoHostAvailable "
    "TransportError "
    "ServiceUnavailable CannotConnectNowError InterfaceError AMQPConnectionError ConnectTimeout TimeoutError "
    "WebSocketException "
    "ConnectionFailure AutoReconnect KafkaConnectionError DBAPIError gaierror ClientConnectorDNSError"
)
_OUTSIDE: tuple[Place, ...] = ("library", "stdlib")

_SERVICES = (
    row(
        "fake-http",
        "drift",
        r"No handler found for request <Request '(?P<subject>[^'\n]{1,160})|RESPX: <Request\((?P<subject_b>[^)\n]{1,160})\)> not mocked|"
        r"No response can be found for (?P<subject_c>\w+ request on \S{1,160})|Connection refused by Responses"
        r"|No mock address: (?P<subject_d>[^\n]{1,160})|"
        r"Connection refused: (?P<subject_e>(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S{1,160})|CannotOverwriteExistingRequestException",
        "The code under test asks for something that the tests' fake of HTTP does not know: {subject}.",
        "The fake itself says so: no real connection was tried.",
        "Address, method, query or body of the request was changed on one side only.",
        "Compare the request in the message with those that the test registers; make the side that is wrong like the other.",
        exceptions="AssertionError AllMockedAssertionError TimeoutException ConnectionError NoMockAddress ClientConnectionError "
        "CannotOverwriteExistingRequestException",
        raised_in=("library", "stdlib"),
        effort=1,
    ),
    row(
        "proxy-between",
        "environment",
        r"ConnectError|ProxyError|ConnectTimeout|[Cc]onnection refused|Connect call failed|ConnectionError|RemoteProtocolError|ReadError",
        "Requests of the tests go through a proxy of this environment, and fail there.",
        "The exception passed through the client's code for proxies: the client took one from the environment.",
        "`HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` is set where the tests run, and `NO_PROXY` does not except the address that they use.",
        "Unset the proxy variables for the tests, or add the address (`localhost,127.0.0.1`) to `NO_PROXY`; a client made with "
        "`trust_env=False` reads none of them.",
        "env | grep -i proxy",
        exceptions=_NETWORK + " RemoteProtocolError ReadError SSLError",
        passed=r"(?m)/(?:http_proxy|socks_proxy|_?proxy)\.py$",
        raised_in=_OUTSIDE,
        strict=True,
    ),
    row(
        "proxy-told",
        "environment",
        r"ProxyError\b|Cannot connect to proxy|Unable to connect to proxy|Tunnel connection failed: \d{3}",
        "Requests of the tests go through a proxy of this environment, and fail there.",
        "The client names the proxy itself.",
        "`HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY` is set where the tests run, and `NO_PROXY` does not except the address that they use.",
        "Unset the proxy variables for the tests, or add the address (`localhost,127.0.0.1`) to `NO_PROXY`.",
        "env | grep -i proxy",
        exceptions=_NETWORK + " ProxyError",
        raised_in=_OUTSIDE,
        strict=True,
    ),
    row(
        "docker-refused",
        "environment",
        r"[Pp]ermission denied while trying to connect to the [Dd]ocker"
        r"|Error while fetching server API version: [^\n]{0,80}PermissionError\(13",
        "Docker's socket is there, and this user may not open it.",
        "The operating system refused the connection to the daemon's socket: permission denied.",
        "The socket belongs to root and the group `docker`, and the user that runs the tests is not in that group.",
        "Add the user to the group (`usermod -aG docker …`, then sign in anew), or run a rootless Docker, or let CI give the services.",
        "docker info",
        exceptions="DockerException DockerError PermissionError CalledProcessError",
        others=True,
        raised_in=_OUTSIDE,
        strict=True,
    ),
    row(
        "socket-file",
        "services",
        r"connection to server on socket \"(?P<subject>[^\"\n]{1,160})\" failed: (?:No such file|Connection refused)"
        r"|MySQL server through socket '(?P<subject_b>[^'\n]{1,160})'|connecting to unix socket:? ?(?P<subject_c>[/\w.-]{1,160})"
        r"|unix://(?P<subject_d>/[\w./-]{1,160})[^\n]{0,200}(?:No such file|refused)",
        "No server listens at the socket file {subject}.",
        "The client looked for the file of the server's socket, and it is not there (or nobody accepts at it).",
        "The server was not started for this run, or it puts its socket into another folder, or under another port (the "
        "number is part of the name).",
        "Start the server before the tests and wait until it answers; or give the tests its real address (a host such as "
        "`127.0.0.1` goes through the "
        "network, not through a file).",
        "ls -l {subject}",
        exceptions=_NETWORK,
        raised_in=_OUTSIDE,
        effort=2,
    ),
    row(
        "docker-absent",
        "services",
        r"Error while fetching server API version|Cannot connect to the Docker daemon|docker daemon is not running|"
        r"Command '\[?'?docker(?:-compose)?\b",
        "The tests want Docker, and no Docker daemon answers.",
        "The Docker client found no daemon at its socket.",
        "Docker is not running here, or this user may not reach it.",
        "Start Docker, or run the services of the tests without it.",
        "docker info",
        exceptions="DockerException DockerError ContainerStartException RuntimeError CalledProcessError",
        told=r"(?i)\bdocker(?: daemon| services?| compose)? (?:is |are )?(?:not|un)[ -]?(?:running|available|"
        r"reachable)|Cannot connect to the Docker daemon",
        others=True,
        raised_in=_OUTSIDE,
        strict=True,
    ),
    row(
        "host-unknown",
        "services",
        r"(?:connecting to (?P<subject_b>[\w.-]{1,80}:\d{1,5})\. )?"
        r"(?:getaddrinfo failed|Name or service not known|nodename nor servname|Temporary failure in name "
        r"resolution|failed to resolve host|could not translate host name|No address associated with hostname|"
        r"NameResolutionError)"
        r"(?:[^\n]{0,80}?['\"](?P<subject>[\w.-]{1,80})['\"])?",
        "A service's host name {subject} does not resolve here.",
        "The name look-up failed before any connection was tried.",
        "The address is meant for another network, such as a container's name used outside of compose.",
        "Point the address of the test environment to a host that exists here (localhost or the CI service's name).",
        exceptions=_NETWORK,
        told=r"could not translate host name \"(?P<subject>[\w.-]+)|Cannot connect to host "
        r"(?P<subject_b>[\w.-]+):\d+.{0,60}(?:Name or|getaddrinfo|resol)",
        others=True,
        raised_in=_OUTSIDE,
        strict=True,
        alone=r"urlopen error \[Errno -[235]\]|\[Errno 11001\]|could not translate host name \"(?P<subject>[\w.-]+)|"
        r"host='(?P<subject_b>[\w.-]+)'.{0,200}(?:resol|getaddrinfo)",
    ),
    row(
        "connection-refused",
        "services",
        r"(?:Connect call failed \((?P<subject_b>'[\w.:]+', \d+)|(?:host=|to |at "
        r"|//)['\"]?(?P<subject>[\w.-]{2,80}['\"]?[:,] ?(?:port[= ])?\d{2,5})[^\n]{0,160}?(?:refused|timed out|Max "
        r"retries|failed)"
        r"|[Cc]onnection refused|WinError 10061|actively refused|All connection attempts failed|Errno (?:111|"
        r"61)\](?! Connect call)|no "
        r"servers available|NoBrokersAvailable|No servers found|Can't connect to (?:MySQL|local MySQL)|Multiple "
        r"exceptions: \[Errno|"
        r"Cannot connect to host (?P<subject_c>[\w.-]+:\d+)(?![^\n]{0,30}\[SSL)|ECONNREFUSED(?: (?P<subject_d>[\w.:]+))?|"
        r"ERR_CONNECTION_REFUSED|[Uu]nable to connect|Couldn't connect to (?P<subject_e>[\w.-]+:\d+)|failed to "
        r"connect to all addresses)",
        "Nothing listens where the tests expect a service {subject}.",
        "The connection was refused at once: the address was reached and no process accepts there.",
        "The service was not started for this run, ended before it listened, was not ready yet, or listens on another port.",
        "Start the service before the tests (and wait until it answers), or correct the address in the test "
        "environment. Where the tests start it themselves, keep what it prints: if it ended, the reason stands there.",
        exceptions=_NETWORK,
        told=r"Connect call failed \('(?P<subject>[\w.:]+', \d+)|Cannot connect to host (?P<subject_b>[\w.-]+:\d+)|"
        r"Max retries exceeded with url|"
        r"connection to server at \"[\w.-]+\"|Error (?:111|61) connecting to (?P<subject_c>[\w.-]+:\d+)|Multiple "
        r"exceptions: \[Errno",
        others=True,
        raised_in=_OUTSIDE,
        effort=2,
        strict=True,
        names=r"://(?:[^@\s'\"/]{1,200}@)?(?P<subject>[\w.-]{2,80}:\d{2,5})|(?P<subject_b>['\"][\w.-]{2,80}['\"], ?\d{2,5})\b",
        alone=r"Connect call failed(?: \((?P<subject_d>'[\w.:]+', \d+))?|urlopen error \[Errno (?:111|61)\]|Error (?:111|61) connecting to "
        r"(?:(?P<subject>[\w.-]+:\d+))?|HTTPS?ConnectionPool\(host="
        r"|connection to server at \"(?P<subject_b>[\w.-]+\",? ?(?:\([\w.:]+\), )?port \d+)|Cannot connect to host "
        r"(?P<subject_c>[\w.-]+:\d+)|All connection attempts failed"
        r"|Multiple exceptions: \[Errno|connection failed: ",
    ),
    row(
        "connection-lost",
        "services",
        r"Connection reset by peer|Server disconnected\b|RemoteDisconnected|Connection "
        r"aborted|server closed the connection "
        r"unexpectedly|Broken pipe|Connection (?:was )?closed by (?:server|remote host)|ConnectionResetError|peer "
        r"closed connection",
        "The service that the tests talk to ended the connection.",
        "The connection was there and ended without an answer.",
        "The service crashed, restarted, or refuses what it got before reading it.",
        "Read the service's log of that moment.",
        exceptions=_NETWORK
        + " RemoteProtocolError ProtocolError ServerDisconnectedError BrokenPipeError ReadError ChunkedEncodingError",
        raised_in=_OUTSIDE,
        effort=2,
        strict=True,
        alone=r"Errno (?:104|54|32)\]|Server disconnected without sending",
    ),
    row(
        "no-answer-in-time",
        "services",
        r"(?i)timed? ?out",
        "A service did not answer in time.",
        "The client waited and gave up.",
        "The service is not there, is overloaded, or waits for something itself.",
        "Check that the service is up and reachable from here; look at its log of that moment.",
        exceptions="ConnectTimeout ReadTimeout ConnectTimeoutError ServerSelectionTimeoutError KafkaTimeoutError "
        "PoolTimeout ConnectionTimeoutError "
        "NewConnectionError MaxRetryError APITimeoutError ConnectionTimeout",
        raised_in=("library",),
        effort=2,
        strict=True,
        alone=r"HTTPS?ConnectionPool\(host=.{0,200}timed out",
    ),
    row(
        "service-login",
        "services",
        r"NOAUTH|WRONGPASS|NOPERM|Authentication required|invalid username-password pair"
        r"|HELLO must be called with the client already authenticated|"
        r"ACCESS_REFUSED|AUTHENTICATE|Authentication failed\.|Authorization Violation"
        r"|SASL[^\n]{0,60}(?i:fail)|called without any password configured",
        "A service that the tests use answers, and refuses their credentials (or that they bring none).",
        "Its client got this refusal from the service itself, so it is running.",
        "The address in the test environment lacks the user or password that this service demands, or another service listens there.",
        "Put user and password into the address of the tests (`redis://:password@host:port`), or start a service of their own without any.",
        exceptions="AuthenticationError AuthenticationWrongNumberOfArgsError ResponseError NoPermissionError "
        "AuthorizationError OperationFailure "
        "ProbableAuthenticationError AMQPConnectionError ConnectionClosedByBroker AuthenticationFailedError NoAuthenticationError",
        raised_in=_OUTSIDE,
        strict=True,
    ),
    row(
        "broker",
        "services",
        r"nats: (?:no servers available|no response from stream|'?Authorization Violation|timeout)|"
        r"ServiceUnavailableError|NoServersError|NotEnoughReplicas|"
        r"nats: ServiceUnavailableError|CLUSTERDOWN|MISCONF|NOAUTH Authentication required|AMQPConnectionError",
        "The message broker or cache does not give the tests what they need.",
        "Its client says so.",
        "It was not started, lacks a feature (such as JetStream or a stream), or wants credentials.",
        "Start it with what the tests need (JetStream on, streams made, credentials set) before they run.",
        exceptions="NoServersError ServiceUnavailableError NoStreamResponseError AuthorizationError "
        "AuthenticationError ResponseError "
        "AMQPConnectionError Error NoRespondersError TimeoutError ClusterDownError",
        raised_in=_OUTSIDE,
        effort=2,
        strict=True,
    ),
    row(
        "service-not-ready",
        "services",
        r"(?i)\b(?:services?|server|backend|database|postgres\w*|redis|broker|api|clickhouse|kafka|mongo\w*|rabbitmq|"
        r"elasticsearch) (?:is |are |was |were |did )?"
        r"(?:not|never|un)[ -]?(?:available|reachable|running|healthy|respond\w*|ready|accessible|start\w*|become)",
        "The tests give up because a service that they need is not there.",
        "The tests' own set-up looked for it and says so.",
        "The service was not started for this run, or is not ready when the tests begin.",
        "Start the service before the tests, and wait until it answers.",
        phases=("setup", "session", "collect"),
        exceptions="RuntimeError ConnectionError TimeoutError Exception Failed Exit",
        raised_in=("test", "runner", "library"),
        strict=True,
        guess=True,
        effort=2,
        told=r"(?i)^(?:\w+ ){0,6}(?:services?|server|backend|database|postgres\w*|redis|broker) (?:is |are |was |"
        r"were )?(?:not|un)[ -]?"
        r"(?:available|reachable|running|healthy|ready)",
    ),
    row(
        "waited-for-service",
        "services",
        r"^WaitedInVain(?:Part)?: (?=[\s\S]*?(?:(?P<subject>\b[A-Za-z][\w.-]{1,60}:\d{2,5}\b|\b\d{1,3}(?:\.\d{1,3}){3}:\d{2,5}\b)"
        r"|\('(?P<subject_b>[\w.]{2,60}', \d{2,5})\)|(?i:waiting (?:for|on)) (?:the )?(?P<subject_c>[\w.-]{2,40}))|)",
        "The run waits for a service that never answers: {subject}.",
        "What waits says so last (again and again, or when it gave up): the service is not there.",
        "The service (a container, a server of the tests) was not started for this run, listens elsewhere, or ended."
        " A wait without a limit of its own is ended by somebody else.",
        "Start the service before the tests, or correct the address; give the wait a limit and let it say what it waited for.",
        "pytest",
        exceptions="WaitedInVain",
        others=True,
        phases=("session",),
        effort=2,
    ),
    row(
        "no-network",
        "services",
        r"Network is unreachable|No route to host|Errno (?:101|113|51|65)\]|offline mode|We couldn't "
        r"connect to 'https://huggingface\.co'|"
        r"SocketBlockedError|SocketConnectBlockedError",
        "The tests need a network that this machine does not give them.",
        "The connection could not be made from here.",
        "The tests reach outside (a model, an API, a download), and this environment has no way there.",
        "Replace the outside by a recorded or local one in tests; mark what needs the network.",
        exceptions=_NETWORK
        + " ProxyError SSLError SSLCertVerificationError LocalEntryNotFoundError SocketBlockedError SocketConnectBlockedError",
        raised_in=_OUTSIDE,
        effort=2,
        strict=True,
        alone=r"Errno (?:101|113|51|65)\]|We couldn't connect to",
    ),
)

RULES: tuple[Rule, ...] = _SERVICES
