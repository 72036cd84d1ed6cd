package faults

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/alphapulse/infrastructure/local/home"
)

const vpc = "urn:pulumi:local::alphapulse::aws:ec2/vpc:Vpc::main"

func TestFaultsAreReadOrRefusedWithWhatIsLegal(t *testing.T) {
	for text, want := range map[string]Fault{
		"":                            {},
		"kill@37":                     {kind: kill, first: 37, calls: 1},
		"kill-before@1":               {kind: killBefore, first: 1, calls: 1},
		"lose@2:aws:ec2/vpc:Vpc":      {kind: lose, first: 2, calls: 1, typ: "aws:ec2/vpc:Vpc"},
		"fail@3":                      {kind: fail, first: 3, calls: 1},
		"throttle@4+5:aws:ec2/eip:Ei": {kind: throttle, first: 4, calls: 5, typ: "aws:ec2/eip:Ei"},
		"unreachable":                 {kind: unreachable},
	} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"kil@1", "kill", "kill@0", "kill@-1", "fail@x", "fail@1+2", "throttle@1", "throttle@1+0", "unreachable@1", "fail@1:"} {
		_, err := Parse(text)
		require.ErrorContains(t, err, Variable, text)
		assert.ErrorContains(t, err, "throttle@N+K", "what is legal is said")
	}
}

// cloud counts what reaches it.
type cloud struct {
	rpc.UnimplementedResourceProviderServer
	mu      sync.Mutex
	created int
	failing error
	ended   bool // the context that it was called with
}

func (c *cloud) Create(ctx context.Context, _ *rpc.CreateRequest) (*rpc.CreateResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = ctx.Err() != nil
	if c.failing != nil {
		return nil, c.failing
	}
	c.created++
	return &rpc.CreateResponse{Id: "id"}, nil
}

func (c *cloud) Read(context.Context, *rpc.ReadRequest) (*rpc.ReadResponse, error) {
	return &rpc.ReadResponse{Id: "id"}, nil
}

func (c *cloud) Delete(context.Context, *rpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (c *cloud) Configure(context.Context, *rpc.ConfigureRequest) (*rpc.ConfigureResponse, error) {
	return &rpc.ConfigureResponse{}, nil
}

// start gives a cloud with a fault, and the server before it.
func start(t *testing.T, fault string) (*cloud, rpc.ResourceProviderServer) {
	t.Helper()
	t.Setenv(home.DirVariable, t.TempDir())
	parsed, err := Parse(fault)
	require.NoError(t, err)
	c := &cloud{}
	return c, wrap(c, parsed, &sync.WaitGroup{})
}

func create(t *testing.T, s rpc.ResourceProviderServer) error {
	t.Helper()
	_, err := s.Create(t.Context(), &rpc.CreateRequest{Urn: vpc})
	return err
}

func TestACallFailsWithItsEffectOrWithout(t *testing.T) {
	for fault, want := range map[string]struct {
		effects int
		message string
	}{
		"fail@2": {2, "InternalFailure"},
		"lose@2": {3, "connection reset by peer"},
		// Nobody is killed but a pulumi: the parent of this test is another program.
		"kill@2":        {3, "is not the engine"},
		"kill-before@2": {2, "is not the engine"},
	} {
		c, s := start(t, fault)
		require.NoError(t, create(t, s), fault)
		require.ErrorContains(t, create(t, s), want.message, fault)
		require.NoError(t, create(t, s), fault)
		assert.Equal(t, want.effects, c.created, fault)
	}
}

func TestOnlyCallsThatChangeSomethingCount(t *testing.T) {
	c, s := start(t, "fail@2")
	_, err := s.Create(t.Context(), &rpc.CreateRequest{Urn: vpc, Preview: true})
	require.NoError(t, err)
	_, err = s.Read(t.Context(), &rpc.ReadRequest{Urn: vpc})
	require.NoError(t, err)
	_, err = s.Delete(t.Context(), &rpc.DeleteRequest{Urn: vpc})
	require.NoError(t, err)
	calls, err := count(func(map[string]int) {})
	require.NoError(t, err)
	assert.Equal(t, 1, calls[total])
	require.Error(t, create(t, s))
	require.NoError(t, Reset())
	require.NoError(t, create(t, s), "every operation counts from 1")
	require.Error(t, create(t, s))
	assert.Equal(t, 2, c.created, "the preview's among them")
}

func TestCallsOfOneTypeCountAlone(t *testing.T) {
	_, s := start(t, "fail@2:aws:ec2/vpc:Vpc")
	_, err := s.Create(t.Context(), &rpc.CreateRequest{Urn: "urn:pulumi:local::alphapulse::aws:ec2/eip:Eip::nat"})
	require.NoError(t, err)
	require.NoError(t, create(t, s))
	require.ErrorContains(t, create(t, s), "InternalFailure")
}

func TestEveryProcessCountsOnTheSameCounter(t *testing.T) {
	t.Setenv(home.DirVariable, t.TempDir())
	var numbers []int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			n, err := next("type")
			mu.Lock()
			defer mu.Unlock()
			assert.NoError(t, err)
			numbers = append(numbers, n.all)
		})
	}
	all.Wait()
	slices.Sort(numbers)
	for i, n := range numbers {
		assert.Equal(t, i+1, n)
	}
}

func TestShortThrottlingIsSurvivedAndLongIsNot(t *testing.T) {
	c, s := start(t, "throttle@1+5")
	require.NoError(t, create(t, s), "the sixth attempt is let through")
	assert.Equal(t, 1, c.created)
	c, s = start(t, "throttle@1+6")
	require.ErrorContains(t, create(t, s), "ThrottlingException: Rate exceeded")
	assert.Zero(t, c.created)
	require.NoError(t, create(t, s))
}

func TestACallThatFailsByItselfIsNeitherLostNorKilledAfter(t *testing.T) {
	for _, fault := range []string{"lose@1", "kill@1"} {
		c, s := start(t, fault)
		c.failing = errors.New("quota")
		require.EqualError(t, create(t, s), "quota", fault)
	}
}

// A cloud does what it was asked for, also when nobody waits any more.
func TestACallThatWasBegunIsNotGivenUp(t *testing.T) {
	c, s := start(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Create(ctx, &rpc.CreateRequest{Urn: vpc})
	require.NoError(t, err)
	assert.False(t, c.ended)
}

// words collects what the engine is told.
type words []string

func (w *words) Log(_ context.Context, _ diag.Severity, _ resource.URN, message string) error {
	*w = append(*w, message)
	return nil
}

func TestAnUnreachableClusterIsReportedOrForgotten(t *testing.T) {
	t.Setenv(ForgetVariable, "")
	said := &words{}
	s := &cutOff{ResourceProviderServer: &cloud{}, engine: said}
	configure := func(settings map[string]any) {
		args, err := structpb.NewStruct(settings)
		require.NoError(t, err)
		_, err = s.Configure(t.Context(), &rpc.ConfigureRequest{Args: args})
		require.NoError(t, err)
	}
	configure(nil)
	_, err := s.Create(t.Context(), &rpc.CreateRequest{Preview: true})
	require.NoError(t, err, "a preview asks nobody")
	_, err = s.Create(t.Context(), &rpc.CreateRequest{})
	require.ErrorContains(t, err, "configured Kubernetes cluster is unreachable: ")
	_, err = s.Update(t.Context(), &rpc.UpdateRequest{})
	require.ErrorContains(t, err, "configured Kubernetes cluster is unreachable: ")
	_, err = s.Read(t.Context(), &rpc.ReadRequest{Id: "a"})
	require.ErrorContains(t, err, ForgetVariable)
	_, err = s.Delete(t.Context(), &rpc.DeleteRequest{Id: "a"})
	require.ErrorContains(t, err, ForgetVariable)
	assert.Contains(t, (*said)[0], "connection refused")

	t.Setenv(ForgetVariable, "true")
	configure(nil)
	read, err := s.Read(t.Context(), &rpc.ReadRequest{Id: "a"})
	require.NoError(t, err)
	assert.Empty(t, read.GetId(), "gone")
	_, err = s.Delete(t.Context(), &rpc.DeleteRequest{Id: "a"})
	require.NoError(t, err)

	configure(map[string]any{"deleteUnreachable": "false"})
	_, err = s.Read(t.Context(), &rpc.ReadRequest{Id: "a"})
	require.Error(t, err, "the provider's own setting counts first")
	t.Setenv(ForgetVariable, "")
	for _, yes := range []any{true, "true"} {
		configure(map[string]any{"deleteUnreachable": yes})
		_, err = s.Read(t.Context(), &rpc.ReadRequest{Id: "a"})
		require.NoError(t, err)
	}
}
