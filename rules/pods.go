package rules

import "slices"

// podRules: a program that is broken into gets neither its node nor its neighbours' share of it (S4). EKS's own add-ons are no resources
// of the program, and not judged.
var podRules = []Rule{
	guardrail("pod-privileged", eachContainer(
		mustNot("securityContext.privileged", true, "the program is root on its node", "leave it out")), podOwners()...),
	guardrail("pod-host", all(
		eachPod(all(notTheNodes("hostNetwork"), notTheNodes("hostPID"), notTheNodes("hostIPC"), hostPaths)),
		eachContainer(each("ports", hostPort))), podOwners()...),
	guardrail("pod-root", eachPod(nonRoot), podOwners()...),
	guardrail("pod-escalation", eachContainer(
		must("securityContext.allowPrivilegeEscalation", false, "a program inside may become root", "set it to false")), podOwners()...),
	guardrail("pod-capabilities", eachContainer(capabilities), podOwners()...),
	// A limit on CPU is not asked for: whoever has used it up waits, on an idle node too, and requests share a busy one justly.
	guardrail("pod-resources", eachContainer(all(
		given("resources.requests.cpu", "the scheduler would not know what it needs", "set it"),
		given("resources.requests.memory", "the scheduler would not know what it needs", "set it"),
		given("resources.limits.memory", "a leak would take the node's memory, and its neighbours with it", "set it"))), podOwners()...),
}

// eachPod checks what a workload's pods have in common.
func eachPod(one check) check {
	return func(in Resource) []Finding {
		return one(Resource{Type: in.Type, Name: in.Name, Value: in.At(podTemplates[in.Type])})
	}
}

func notTheNodes(path string) check {
	return mustNot(path, true, "pods would see what is the node's", "leave it out")
}

// hostPort: zero is none.
func hostPort(port Resource) []Finding {
	v := port.At("hostPort")
	if n, ok := v.Number(); !ok || n == 0 {
		return nil
	}
	return v.Breaks("whoever reaches the node reaches the pod, past its Service", "leave it out, and let a Service lead to the pod")
}

// podLogs is where a node has what its pods write. Whoever collects that may read it, and no more (O4).
const podLogs = "/var/log/pods"

func hostPaths(pod Resource) (found []Finding) {
	for _, volume := range pod.At("volumes").Items() {
		v, name := volume.At("hostPath"), volume.At("name").raw
		switch {
		case !v.IsSet():
		case !v.At("path").Is(podLogs):
			found = append(found, v.Breaks("pods would see the node's files", "use a volume of their own; "+podLogs+" alone may be read")...)
		default:
			found = append(found, mountsOf(pod, name, "the node's logs could be changed", "mount it with readOnly")...)
		}
	}
	return found
}

// mountsOf breaks at each mount of a volume that can be written to.
func mountsOf(pod Resource, volume any, wrong, remedy string) (found []Finding) {
	for _, list := range []string{"initContainers", "containers"} {
		for _, container := range pod.At(list).Items() {
			for _, mount := range container.At("volumeMounts").Items() {
				if mount.At("name").Is(volume) && !mount.At("readOnly").Is(true) {
					found = append(found, mount.Breaks(wrong, remedy)...)
				}
			}
		}
	}
	return found
}

// nonRoot: what a container does not say itself its pod says for it.
func nonRoot(pod Resource) (found []Finding) {
	const remedy = "set it to true, for the pod or for each container"
	for _, list := range []string{"initContainers", "containers"} {
		for _, container := range pod.At(list).Items() {
			if v := either(container, pod, "securityContext.runAsNonRoot"); v.IsKnown() && !v.Is(true) {
				found = append(found, v.Breaks("the program may be root", remedy)...)
			}
			if v := either(container, pod, "securityContext.runAsUser"); v.Is(0.) {
				found = append(found, v.Breaks("the program would be root", "name another user, or none")...)
			}
		}
	}
	return found
}

// either is the container's argument or, where it has none, the pod's.
func either(container Value, pod Resource, path string) Value {
	own, common := container.At(path), pod.At(path)
	if !own.IsSet() && common.IsSet() {
		return common
	}
	return own
}

func capabilities(container Resource) []Finding {
	held := container.At("securityContext.capabilities")
	added := held.At("add")
	if slices.ContainsFunc(added.Items(), func(v Value) bool { return v.IsKnown() && !v.Is("NET_BIND_SERVICE") }) {
		return added.Breaks("the program gets a part of root's power", "leave it out; NET_BIND_SERVICE alone is harmless")
	}
	if dropped, sure := held.At("drop").holds("ALL"); sure && !dropped {
		return held.At("drop").Breaks("the program keeps a part of root's power", "drop ALL")
	}
	return nil
}
