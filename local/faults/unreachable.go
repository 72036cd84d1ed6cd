package faults

import (
	"context"
	"errors"
	"os"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// ForgetVariable makes the Kubernetes provider drop from the state what it cannot reach. It is the real provider's own variable.
const ForgetVariable = "PULUMI_K8S_DELETE_UNREACHABLE"

// The real provider's words (pulumi-kubernetes 4, provider/pkg/provider/provider.go): the reason stands in warnings and in what cannot
// be made, the way out in what cannot be read or deleted.
var (
	errUnreachable = errors.New("configured Kubernetes cluster is unreachable: unable to load schema information from the API server: " +
		`Get "https://API-SERVER/openapi/v2?timeout=32s": dial tcp: connect: connection refused`)
	errNotRead = errors.New("failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove this " +
		"resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\"")
	errNotDeleted = errors.New("configured Kubernetes cluster is unreachable. If the cluster was deleted, you can remove this " +
		"resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to \"true\"")
)

// logger is the part of the engine that messages go to.
type logger interface {
	Log(ctx context.Context, severity diag.Severity, urn resource.URN, message string) error
}

// cutOff is the Kubernetes provider with an API server that does not answer: what needs no server goes on, the rest fails, or is
// forgotten if the environment or the provider's settings say so.
type cutOff struct {
	rpc.ResourceProviderServer
	engine logger
	forget bool
}

func (c *cutOff) Configure(ctx context.Context, req *rpc.ConfigureRequest) (*rpc.ConfigureResponse, error) {
	// The provider's own setting counts first; the engine sends what is no text as JSON.
	if asked, found := req.GetArgs().GetFields()["deleteUnreachable"]; found {
		c.forget = asked.GetBoolValue() || asked.GetStringValue() == "true"
	} else {
		c.forget, _ = strconv.ParseBool(os.Getenv(ForgetVariable))
	}
	return c.ResourceProviderServer.Configure(ctx, req)
}

func (c *cutOff) Create(_ context.Context, req *rpc.CreateRequest) (*rpc.CreateResponse, error) {
	if req.GetPreview() {
		return &rpc.CreateResponse{Properties: req.GetProperties()}, nil
	}
	return nil, errUnreachable
}

func (c *cutOff) Update(_ context.Context, req *rpc.UpdateRequest) (*rpc.UpdateResponse, error) {
	if req.GetPreview() {
		return &rpc.UpdateResponse{Properties: req.GetNews()}, nil
	}
	return nil, errUnreachable
}

func (c *cutOff) Read(ctx context.Context, req *rpc.ReadRequest) (*rpc.ReadResponse, error) {
	if !c.forgotten(ctx, req.GetUrn()) {
		return nil, errNotRead
	}
	return &rpc.ReadResponse{}, nil
}

func (c *cutOff) Delete(ctx context.Context, req *rpc.DeleteRequest) (*emptypb.Empty, error) {
	if !c.forgotten(ctx, req.GetUrn()) {
		return nil, errNotDeleted
	}
	return &emptypb.Empty{}, nil
}

// forgotten tells whether a resource may be dropped from the state, and the engine why.
func (c *cutOff) forgotten(ctx context.Context, urn string) bool {
	warning := errUnreachable.Error()
	if c.forget {
		warning = "configured Kubernetes cluster is unreachable and the `deleteUnreachable` option is enabled. " +
			"Deleting the unreachable resource from Pulumi state"
	}
	_ = c.engine.Log(ctx, diag.Warning, resource.URN(urn), warning) // the error says as much
	return c.forget
}
