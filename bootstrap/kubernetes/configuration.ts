/** The configuration files of a single-node cluster. */
import config from "../../deno.json" with { type: "json" };

/** Short, since socket paths have at most 107 bytes. */
export const RUN_FOLDER = "/run/grpc-demo-kubernetes";

/** containerd's socket. */
export const CONTAINERD_SOCKET = `${RUN_FOLDER}/containerd.sock`;

/** The certificate of the node's programs and of its administrator. */
export const ADMIN_CERTIFICATE = `${RUN_FOLDER}/pki/admin.crt`;
/** Its key. */
export const ADMIN_KEY = `${RUN_FOLDER}/pki/admin.key`;
/** The API server's certificate, which it signs itself. */
export const API_CERTIFICATE = `${RUN_FOLDER}/pki/apiserver.crt`;
/** The key that signs service accounts' tokens. */
export const ACCOUNT_KEY = `${RUN_FOLDER}/pki/accounts.key`;

/** The name of the node. */
export const NODE_NAME = "grpc-demo";

/**
 * The address of the node and its API server, on the loopback interface: pods
 * reach it, and a rule of the packet filter keeps other machines out.
 */
export const NODE_ADDRESS = "10.97.0.1";

/** The addresses of Services. */
export const SERVICE_RANGE = "10.96.0.0/16";

/** The addresses of pods. */
export const POD_RANGE = "10.244.0.0/24";

/** The address of the cluster's DNS. */
export const DNS_ADDRESS = "10.96.0.10";

/** The images made here, by the program that they contain. */
export const OWN_IMAGES = {
  pause: "docker.io/grpc-demo/pause:1",
  coredns: `docker.io/grpc-demo/coredns:${config.toolVersions.coredns}`,
} as const;

/**
 * containerd's configuration.
 *
 * @param dataFolder Where it keeps images and file systems of containers.
 */
export function containerdConfig(dataFolder: string): string {
  return `version = 2
root = "${dataFolder}"
state = "${RUN_FOLDER}/containerd"
[grpc]
  address = "${CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${OWN_IMAGES.pause}"
  # Where negative values may not be set, as in a container, no pod would start.
  restrict_oom_score_adj = true
  # DNS listens on port 53 without root.
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${RUN_FOLDER}/cni"
`;
}

/**
 * The network of pods: each has a link of its own to the node, which routes.
 * With a bridge, packets between pods could bypass the rules of Services and
 * NetworkPolicies.
 */
export function networkConfig(): string {
  return toJson({
    cniVersion: "1.0.0",
    name: "grpc-demo",
    plugins: [{
      type: "ptp",
      ipam: {
        type: "host-local",
        dataDir: `${RUN_FOLDER}/addresses`,
        ranges: [[{ subnet: POD_RANGE }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    }],
  });
}

/** The kubelet's configuration. */
export function kubeletConfig(): string {
  return toJson({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: NODE_ADDRESS,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: ADMIN_CERTIFICATE },
    },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: "cgroupfs",
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: "cluster.local",
    podLogsDir: `${RUN_FOLDER}/pod-logs`,
    volumePluginDir: `${RUN_FOLDER}/volume-plugins`,
    // Where negative values may not be set, it would not start (default -999).
    oomScoreAdj: 0,
    // The machine's disk is not this cluster's to watch.
    evictionHard: { "memory.available": "100Mi" },
    imageGCHighThresholdPercent: 100,
  });
}

/** kube-proxy's configuration. */
export function proxyConfig(): string {
  return toJson({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    clusterCIDR: POD_RANGE,
    hostnameOverride: NODE_NAME,
    clientConnection: { kubeconfig: `${RUN_FOLDER}/kubeconfig` },
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
    oomScoreAdj: 0,
    // NodePorts are not open to other machines.
    nodePortAddresses: [`${NODE_ADDRESS}/32`],
    iptables: { localhostNodePorts: false },
    // Leaves the kernel's settings of connection tracking as they are.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: "0s",
      tcpCloseWaitTimeout: "0s",
    },
  });
}

/**
 * How kubectl and the node's programs reach the API server.
 *
 * @param pem The certificates and the key, as text: the API server's, ours.
 */
export function kubeconfig(
  pem: {
    readonly server: string;
    readonly certificate: string;
    readonly key: string;
  },
): string {
  const name = "grpc-demo";
  return toJson({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{
      name,
      cluster: {
        server: `https://${NODE_ADDRESS}:6443`,
        "certificate-authority-data": btoa(pem.server),
      },
    }],
    users: [{
      name,
      user: {
        "client-certificate-data": btoa(pem.certificate),
        "client-key-data": btoa(pem.key),
      },
    }],
  });
}

/** The cluster's DNS, as Kubernetes objects. */
export function dnsManifest(): string {
  const name = "coredns";
  const namespace = "kube-system";
  const labels = { "k8s-app": "kube-dns" };
  const metadata = { name, namespace };
  const items = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules: [
        {
          apiGroups: [""],
          resources: ["services", "pods", "namespaces"],
          verbs: ["list", "watch"],
        },
        {
          apiGroups: ["discovery.k8s.io"],
          resources: ["endpointslices"],
          verbs: ["list", "watch"],
        },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name,
      },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: {
        // Answers 5 s old are the usual default, as with a cache of DNS.
        Corefile: `.:53 {
  errors
  ready
  kubernetes cluster.local {
    ttl 5
  }
}
`,
      },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { ...metadata, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: name,
            priorityClassName: "system-cluster-critical",
            dnsPolicy: "Default",
            securityContext: {
              runAsNonRoot: true,
              runAsUser: 65532,
              seccompProfile: { type: "RuntimeDefault" },
            },
            containers: [{
              name,
              image: OWN_IMAGES.coredns,
              imagePullPolicy: "Never",
              args: ["-conf", "/etc/coredns/Corefile"],
              readinessProbe: {
                httpGet: { path: "/ready", port: 8181 },
                periodSeconds: 1,
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
              volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
            }],
            volumes: [{ name: "config", configMap: { name } }],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace, labels },
      spec: {
        clusterIP: DNS_ADDRESS,
        selector: labels,
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    },
  ];
  return toJson({ apiVersion: "v1", kind: "List", items });
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
